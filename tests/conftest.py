"""What tests of several folders share."""

import os
import shutil
import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

from ovsnp.lab.interrupts import INTERRUPTS
from tests.cluster.building import BuildError, programs
from tests.cluster.control_plane import ControlPlane, running
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


@pytest.fixture(autouse=True)
def same_signal_handlers() -> Iterator[None]:
    """No test changes how the next ones take a signal."""
    before = {number: signal.getsignal(number) for number in INTERRUPTS}
    yield
    assert {number: signal.getsignal(number) for number in INTERRUPTS} == before


@pytest.fixture(scope="session")
def dummy_switch() -> Iterator[DummySwitch]:
    """An Open vSwitch of this test run's own, on the dummy datapath."""
    if not shutil.which("ovs-vswitchd"):
        pytest.skip("Open vSwitch is not installed (Debian: openvswitch-switch)")
    with own_switch() as switch:
        yield switch


@pytest.fixture(scope="session")
def standing_control_plane() -> Iterator[ControlPlane]:
    """A control plane of this test run's own; tests use `control_plane`."""
    try:
        found = programs()
    except BuildError as error:
        if os.environ.get("OVSNP_REQUIRE_API_SERVER"):
            pytest.fail(str(error))
        pytest.skip(str(error))
    with running(found) as made:
        yield made


@pytest.fixture
def control_plane(standing_control_plane: ControlPlane) -> ControlPlane:
    """etcd and an API server with the objects of a new cluster; a test may load objects, and end and pause both."""
    standing_control_plane.start()
    standing_control_plane.clear()
    return standing_control_plane
