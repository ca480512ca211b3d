"""Two Open vSwitches for the tests with real packets."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.ovs.instance import DummySwitch
from tests.ovs.service_scene import ServiceScene


@contextmanager
def another_switch() -> Iterator[DummySwitch]:
    directory = Path(tempfile.mkdtemp(prefix="ovsnp-test-"))  # short: a socket's path has at most 107 characters
    switch = DummySwitch(directory / "ovs")
    try:
        yield switch
    finally:
        switch.stop()
        shutil.rmtree(directory)


@pytest.fixture(scope="session")
def other_switch(dummy_switch: DummySwitch) -> Iterator[DummySwitch]:
    """A second Open vSwitch, for the other node."""
    del dummy_switch  # which skips the test where Open vSwitch is missing
    with another_switch() as switch:
        yield switch


@pytest.fixture
def scene(dummy_switch: DummySwitch, other_switch: DummySwitch, tmp_path: Path) -> Iterator[ServiceScene]:
    """Two nodes with a Service."""
    there = ServiceScene((dummy_switch, other_switch), tmp_path)
    yield there
    there.close()


@pytest.fixture
def own_scene(dummy_switch: DummySwitch, tmp_path: Path) -> Iterator[ServiceScene]:
    """The same on Open vSwitches of the test's own, for what may end them."""
    del dummy_switch  # which skips the test where Open vSwitch is missing
    with another_switch() as switch, another_switch() as other:
        yield ServiceScene((switch, other), tmp_path)
