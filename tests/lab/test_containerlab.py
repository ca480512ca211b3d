"""A lab of containers as users run it; afterwards no container, network or link to a namespace stays."""

import signal
import subprocess
import time
from pathlib import Path

import pytest

from ovsnp.errors import Exit
from ovsnp.lab.runtime import docker
from tests.support.lab_commands import SHIPPED, run, start

pytestmark = [pytest.mark.lab, pytest.mark.containerlab]
DEMO_1 = SHIPPED.parent / "policies" / "1-access-demo1.yaml"


def left(name: str, networks: set[str]) -> list[str]:
    """The containers and namespace links of the lab of that name, and the networks that are new."""
    handles = [path.name for path in Path("/run/netns").glob(f"{name}-*")]
    return [*docker.containers(name).values(), *handles, *(docker.networks() - networks)]


def test_from_up_to_down(name: str) -> None:
    before = docker.networks()
    built = run("up", "--runtime", "containerlab", "--name", name, "--masquerade", "-t", str(SHIPPED))
    assert built.returncode == 0, built.stderr
    assert f"docker exec -it {name}-node-1 bash" in built.stdout
    assert run("apply", "--name", name, "-f", str(DEMO_1)).returncode == 0
    tested = run("test", "--name", name)
    assert tested.returncode == 0, tested.stdout
    assert tested.stdout.rstrip().endswith("passed, 0 failed")
    # The image has ovsnp, and the topology mounts the manifests for it.
    inside = ["ovsnp", "apply", "--node", "node-1", "--masquerade", "-f", "/ovsnp/cluster", "-f", "/ovsnp/policies"]
    said = subprocess.run(["docker", "exec", f"{name}-node-1", *inside], capture_output=True, text=True, check=True)
    assert "br-int: flows:" in said.stdout
    assert run("down", "--name", name).returncode == 0
    assert left(name, before) == []


def test_an_interrupted_up_leaves_nothing(name: str) -> None:
    before = docker.networks()
    building = start("up", "--runtime", "containerlab", "--name", name, "-t", str(SHIPPED))
    deadline = time.monotonic() + 120
    while not docker.containers(name):
        assert time.monotonic() < deadline
        assert building.poll() is None
        time.sleep(0.2)
    building.send_signal(signal.SIGINT)
    building.communicate(timeout=120)
    assert building.returncode == Exit.INTERRUPTED
    assert left(name, before) == []
