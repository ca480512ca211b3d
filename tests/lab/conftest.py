"""Labs for tests: with their own directory and names, and removed at the end of the tests."""

import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ovsnp.errors import OvsnpError
from ovsnp.lab import standing
from ovsnp.lab.datapath import DatapathType
from ovsnp.lab.journal import BASE_VARIABLE, LabDirectory
from ovsnp.lab.runtime import CONTAINERLAB, NETNS, RUNTIMES
from ovsnp.model.options import Encap
from tests.lab.ground import Ground, standing_ground
from tests.support.lab_datapath import DATAPATH, IN_KERNEL

_NUMBERS = itertools.count(1)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers, for -m."""
    config.addinivalue_line("markers", "lab: builds labs and sends real packets; needs root and Open vSwitch")
    config.addinivalue_line("markers", "containerlab: builds them with containerlab; needs Docker, too")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests that this machine cannot run, with the reason; with the kernel datapath chosen, refuse instead."""
    here = [item for item in items if Path(__file__).parent in item.path.parents]
    containers = [item for item in here if item.get_closest_marker("containerlab")]
    missing = _missing()
    if here and missing and IN_KERNEL:
        raise pytest.UsageError(f"the kernel datapath was asked for: {missing}")
    for found, reason in ((here, missing), (containers, _lacking(CONTAINERLAB, DatapathType.NETDEV))):
        for item in found if reason else ():
            item.add_marker(pytest.mark.skip(reason=reason))


def _lacking(runtime: str, datapath: DatapathType) -> str | None:
    try:
        RUNTIMES[runtime].check_machine(datapath)
    except OvsnpError as error:
        return str(error)
    return None


def _missing() -> str | None:
    if (reason := _lacking(NETNS, DATAPATH)) is not None:
        return reason
    name = f"ovsnp-try-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        return f"network namespaces cannot be made: {made.stderr.strip()}"
    subprocess.run(["ip", "netns", "del", name], check=True)
    return None


@pytest.fixture(scope="session", autouse=True)
def base() -> Iterator[Path]:
    """The directory for the state of the tests' labs; the path is short, since it is part of socket paths."""
    made = Path(tempfile.mkdtemp(prefix="ovsnp-lab-", dir="/tmp"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(BASE_VARIABLE, str(made / "labs"))
        yield made / "labs"
    shutil.rmtree(made)


@pytest.fixture
def name(base: Path) -> Iterator[str]:
    """A name for a lab; the lab is removed whatever happens."""
    made = f"t{os.getpid()}-{next(_NUMBERS)}"
    yield made
    if LabDirectory(made, base).exists:
        standing.down(made)


@pytest.fixture(scope="session")
def grounds(base: Path) -> Iterator[Callable[[Encap], Ground]]:
    """Lends the shipped lab, without policies and masquerading; there is one lab for each encapsulation, built once."""
    with ExitStack() as stack:
        made: dict[Encap, Ground] = {}

        def lend(encap: Encap) -> Ground:
            if encap in made:
                made[encap].lab.apply([], masquerade=False)
            else:
                made[encap] = stack.enter_context(standing_ground(f"lent-{os.getpid()}-{encap}", encap))
            return made[encap]

        yield lend
