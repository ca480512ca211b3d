"""Two Open vSwitches for the tests with real packets."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ovs.service_scene import ServiceScene
from tests.support.instance import DummySwitch, own_switch


@pytest.fixture(scope="session")
def other_switch(dummy_switch: DummySwitch) -> Iterator[DummySwitch]:
    """A second Open vSwitch, for the other node."""
    del dummy_switch  # the fixture skips the test if Open vSwitch is missing
    with own_switch() as switch:
        yield switch


@pytest.fixture
def scene(dummy_switch: DummySwitch, other_switch: DummySwitch, tmp_path: Path) -> Iterator[ServiceScene]:
    """Two nodes with a Service."""
    there = ServiceScene((dummy_switch, other_switch), tmp_path)
    yield there
    there.close()


@pytest.fixture
def own_scene(dummy_switch: DummySwitch, tmp_path: Path) -> Iterator[ServiceScene]:
    """The same on separate Open vSwitches, for tests that may end them."""
    del dummy_switch  # the fixture skips the test if Open vSwitch is missing
    with own_switch() as switch, own_switch() as other:
        yield ServiceScene((switch, other), tmp_path)
