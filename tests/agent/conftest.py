"""An agent with its bridge and its cluster."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agent.agent_scene import AgentScene
from tests.cluster.control_plane import ControlPlane
from tests.support.instance import DummySwitch


@pytest.fixture
def scene(dummy_switch: DummySwitch, control_plane: ControlPlane, tmp_path: Path) -> Iterator[AgentScene]:
    """A small cluster; no agent runs yet."""
    there = AgentScene(dummy_switch, control_plane, tmp_path)
    yield there
    there.close()


@pytest.fixture(scope="module")
def followed(
    dummy_switch: DummySwitch, standing_control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AgentScene]:
    """A small cluster that an agent follows, for all tests of a file; each test leaves the agent settled."""
    standing_control_plane.start()
    standing_control_plane.clear()
    there = AgentScene(dummy_switch, standing_control_plane, tmp_path_factory.mktemp("followed"))
    there.start()
    there.settled()
    yield there
    there.close()
