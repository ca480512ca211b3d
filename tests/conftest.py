"""What tests of several folders share."""

import shutil
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.support.instance import DummySwitch, own_switch


def pytest_addoption(parser: pytest.Parser) -> None:
    """The switch that rewrites golden files."""
    parser.addoption("--update-golden", action="store_true", help="write what is compiled now as the golden files")


def pytest_configure(config: pytest.Config) -> None:
    """That switch is the one of the cases of ovsnp's own plugin too."""
    config.option.ovsnp_update |= config.option.update_golden


# How long an example takes is the machine's affair, and decides no test.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture(scope="session")
def dummy_switch() -> Iterator[DummySwitch]:
    """An Open vSwitch of this test run's own, on the dummy datapath."""
    if not shutil.which("ovs-vswitchd"):
        pytest.skip("Open vSwitch is not installed (Debian: openvswitch-switch)")
    with own_switch() as switch:
        yield switch
