"""`up` builds a lab completely or not at all, and `down` removes it without a trace."""

import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ovsnp.lab.journal import LabDirectory
from ovsnp.lab.topology import read
from tests.support.lab_commands import SHIPPED, SMALL, command, left_behind, run, start

pytestmark = pytest.mark.lab

INTERFACES = sorted({end.interface for link in read(SHIPPED).links for end in link.ends} - {"eth1"})
BRIDGES = ["br-int", "br-phy", "ovsnp-gw0", "ovs-netdev"]


def is_gone(name: str, base: Path) -> bool:
    left = left_behind(name, base, [*INTERFACES, *BRIDGES])
    assert left == []
    return True


def namespaces(directory: LabDirectory) -> int:
    return sum(entry.namespace is not None for entry in directory.entries())


def daemons(directory: LabDirectory) -> int:
    return sum(entry.process is not None for entry in directory.entries())


MOMENTS: dict[str, Callable[[LabDirectory], bool]] = {
    "with its directory": lambda directory: directory.exists,
    "with its first namespace": lambda directory: namespaces(directory) >= 1,
    "with its last namespace": lambda directory: namespaces(directory) >= len(read(SHIPPED).nodes),
    "with its first daemon": lambda directory: daemons(directory) >= 1,
    "with its last daemon": lambda directory: daemons(directory) >= 4,
    "with its flows under way": lambda directory: (directory.ovs_directory("node-2") / "br-int.mgmt").exists(),
}


def cut_short(name: str, base: Path, moment: str, number: signal.Signals) -> subprocess.Popen[str]:
    """Start to build a lab, and send the signal at that moment."""
    directory = LabDirectory(name, base)
    building = start("up", "-t", str(SHIPPED), "--name", name)
    while not MOMENTS[moment](directory) and building.poll() is None:
        time.sleep(0.001)
    building.send_signal(number)
    building.wait()
    return building


@pytest.mark.parametrize("moment", MOMENTS)
def test_down_takes_away_a_lab_whose_building_was_killed(name: str, base: Path, moment: str) -> None:
    assert cut_short(name, base, moment, signal.SIGKILL).returncode == -signal.SIGKILL
    assert (base / name).is_dir()
    half = run("test", "--name", name)
    assert (half.returncode, "only half built" in half.stderr) == (2, True)
    gone = run("down", "--name", name)
    assert (gone.returncode, gone.stdout) == (0, f"lab {name} is gone\n")
    assert is_gone(name, base)


@pytest.mark.parametrize("moment", list(MOMENTS)[::2])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_up_takes_everything_away(name: str, base: Path, moment: str, number: signal.Signals) -> None:
    building = cut_short(name, base, moment, number)
    out, errors = building.communicate()
    assert (building.returncode, out, errors) == (130, "", "interrupted\n")
    assert is_gone(name, base)


def test_down_leaves_nothing_not_even_what_was_started_by_hand(name: str, base: Path) -> None:
    assert run("up", "-t", str(SMALL), "--name", name).returncode == 0
    byhand = subprocess.Popen(["ip", "netns", "exec", f"{name}-a", "sleep", "1000"])
    assert run("down", "--name", name).returncode == 0
    assert byhand.wait() != 0
    assert is_gone(name, base)


def test_down_of_nothing_says_so(name: str) -> None:
    done = run("down", "--name", name)
    assert (done.returncode, done.stdout) == (0, f"there is no lab {name}; nothing to take away\n")


def test_up_of_a_lab_that_stands_is_refused_and_harms_nothing(name: str) -> None:
    assert run("up", "-t", str(SMALL), "--name", name).returncode == 0
    again = run("up", "-t", str(SMALL), "--name", name)
    assert again.returncode == 2
    assert f"ovsnp lab down --name {name}" in again.stderr
    assert run("test", "--name", name).returncode == 0


@pytest.fixture
def foreign(name: str) -> Iterator[str]:
    taken = f"{name}-node-1"
    subprocess.run(["ip", "netns", "add", taken], check=True)
    yield taken
    subprocess.run(["ip", "netns", "del", taken], check=True)


def test_a_namespace_of_somebody_else_is_left_alone(name: str, foreign: str, base: Path) -> None:
    refused = run("up", "-t", str(SMALL), "--name", name)
    assert refused.returncode == 2
    assert foreign in refused.stderr
    assert Path("/run/netns", foreign).exists()
    assert not (base / name).exists()


def test_what_is_wrong_in_the_manifests_is_told_before_anything_is_built(name: str, base: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec: {ingres: []}\n")
    refused = run("up", "-t", str(SMALL), "--name", name, "-f", str(bad))
    assert refused.returncode == 3
    assert f"{bad}:4: " in refused.stderr
    assert is_gone(name, base)


def test_a_command_of_the_topology_that_fails_fails_up_and_is_named(name: str, base: Path, tmp_path: Path) -> None:
    (tmp_path / "cluster").symlink_to(SMALL.parent / "cluster")
    broken = tmp_path / "broken.clab.yml"
    broken.write_text(SMALL.read_text().replace("ip link set br-phy up", "ip link set br-pyh up"))
    refused = run("up", "-t", str(broken), "--name", name)
    assert refused.returncode == 4
    assert "node-1: ip link set br-pyh up: " in refused.stderr
    assert is_gone(name, base)


@pytest.fixture
def public() -> Iterator[Path]:
    """The small topology in a folder that every user may read, wherever the checkout is."""
    with tempfile.TemporaryDirectory(prefix="ovsnp-", dir="/tmp") as directory:
        shutil.copytree(SMALL.parent, directory, dirs_exist_ok=True)
        subprocess.run(["chmod", "--recursive", "a+rX", directory], check=True)
        yield Path(directory, SMALL.name)


def test_without_root_up_says_so(name: str, base: Path, public: Path) -> None:
    # Another user, who may still read the interpreter and the checkout.
    reads = [f"--{kind}-caps=-all,+dac_override" for kind in ("inh", "ambient")]
    nobody = subprocess.run(
        [
            *("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *reads),
            *command("up", "-t", str(public), "--name", name),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (nobody.returncode, "needs root" in nobody.stderr) == (2, True)
    assert not (base / name).exists()
