"""What tests of several folders share."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ovs.instance import DummySwitch


def pytest_addoption(parser: pytest.Parser) -> None:
    """The switch that rewrites golden files."""
    parser.addoption("--update-golden", action="store_true", help="write what is compiled now as the golden files")


def pytest_configure(config: pytest.Config) -> None:
    """That switch is the one of the cases of ovsnp's own plugin too."""
    config.option.ovsnp_update |= config.option.update_golden


@pytest.fixture(scope="session")
def dummy_switch() -> Iterator[DummySwitch]:
    """An Open vSwitch of this test run's own, on the dummy datapath."""
    if not shutil.which("ovs-vswitchd"):
        pytest.skip("Open vSwitch is not installed (Debian: openvswitch-switch)")
    directory = Path(tempfile.mkdtemp(prefix="ovsnp-test-"))  # short: a socket's path has at most 107 characters
    switch = DummySwitch(directory / "ovs")
    yield switch
    switch.stop()
    shutil.rmtree(directory)
