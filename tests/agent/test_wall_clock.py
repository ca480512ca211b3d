"""The wall clock jumps while an agent follows: all waits are by the monotonic clock, so the bridge follows on."""

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.agent.agent_scene import AgentScene
from tests.agent.traffic_scene import TrafficScene
from tests.support.checkout import ROOT

COMPILER = shutil.which("cc")
HOURS = timedelta(hours=6)


@pytest.fixture(scope="session")
def clock_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that moves the clock of a process."""
    if COMPILER is None:
        pytest.skip("the wall clock of a process cannot be moved: there is no C compiler (cc)")
    made = tmp_path_factory.mktemp("clock") / "wall_clock.so"
    source = ROOT / "tests" / "agent" / "wall_clock.c"
    subprocess.run([COMPILER, "-shared", "-fPIC", "-o", str(made), str(source), "-ldl"], check=True)
    return made


def test_the_bridge_follows_while_the_wall_clock_jumps(scene: AgentScene, clock_library: Path) -> None:
    offset = scene.directory / "offset"
    offset.write_text("0")
    scene.install_kind()
    with TrafficScene(scene) as traffic:
        scene.start(environment={"LD_PRELOAD": str(clock_library), "WALL_CLOCK_OFFSET": str(offset)})
        scene.settled()
        traffic.open()
        begun = len(scene.log.read_text().splitlines())
        for jump in (HOURS, -HOURS, timedelta()):
            offset.write_text(str(int(jump.total_seconds())))
            traffic.change()
            traffic.settle()
            assert scene.ask("/healthz")[0] == 200
        scene.wait(lambda: abs(written(scene) - datetime.now(UTC)) < HOURS / 2)
    # A certificate of today is not valid yet for a clock that is behind; only what is written may wait for that.
    assert all("publishing" in line for line in scene.log.read_text().splitlines()[begun:]), scene.log.read_text()


def written(scene: AgentScene) -> datetime:
    """When the agent has written its object, by its own clock."""
    text = scene.kubectl(
        "get", "nodepolicystatus", "node-1", "--ignore-not-found", "-o", "jsonpath={.status.renewTime}"
    )
    return datetime.fromisoformat(text) if text else datetime.fromtimestamp(0, UTC)
