"""Faults of the API server and of what it sends: the last state stays in force, and then the bridge follows again."""

import signal
from collections.abc import Iterator

import pytest

from ovsnp.switch.lock import exclusive
from tests.agent.agent_scene import AgentScene
from tests.cluster.control_plane import ControlPlane
from tests.support.applying import CLUSTER, policy
from tests.support.instance import DummySwitch

POD = """
apiVersion: v1
kind: Pod
metadata: {name: NAME, labels: {role: frontend}}
spec: {nodeName: NODE, containers: [{name: main, image: none, env: [{name: TEXT, value: "VALUE"}]}]}
status: {phase: Running, podIPs: [{ip: "ADDRESS"}]}
"""


def pod(name: str, node: str, address: str, value: str = "") -> str:
    text = POD.replace("NAME", name).replace("NODE", node).replace("ADDRESS", address)
    return text.replace("VALUE", value)


def load(scene: AgentScene, text: str) -> None:
    """Create objects with their status."""
    file = scene.directory / "more.yaml"
    file.write_text(text)
    scene.control_plane.load(file)


def remove(scene: AgentScene, name: str) -> None:
    scene.kubectl("delete", "pod", name, "--grace-period=0", "--force")


@pytest.fixture(scope="module")
def impatient(
    dummy_switch: DummySwitch, standing_control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AgentScene]:
    """An agent that does not wait long for its API server; each test leaves it settled."""
    standing_control_plane.start()
    standing_control_plane.clear()
    there = AgentScene(dummy_switch, standing_control_plane, tmp_path_factory.mktemp("impatient"))
    there.start(silence=3)
    there.settled()
    yield there
    there.close()


def test_restart_of_the_api_server(impatient: AgentScene) -> None:
    flows = impatient.bridge.seen()
    impatient.control_plane.api_server.kill()
    impatient.wait(lambda: impatient.logged("the connection is refused") > 0)
    assert impatient.bridge.seen() == flows
    impatient.control_plane.start()
    impatient.kubectl("apply", "-f", "-", stdin=policy("to-db", 80))
    impatient.settled()


def test_api_server_that_says_nothing_any_more(impatient: AgentScene) -> None:
    flows, before = impatient.bridge.seen(), impatient.logged("no answer for too long")
    impatient.control_plane.api_server.pause()
    impatient.wait(lambda: impatient.logged("no answer for too long") > before)
    assert impatient.bridge.seen() == flows
    impatient.control_plane.api_server.resume()
    impatient.kubectl("apply", "-f", "-", stdin=policy("to-db", 81))
    impatient.settled()


def test_objects_that_were_deleted_before_etcd_was_compacted(impatient: AgentScene) -> None:
    impatient.kubectl("apply", "-f", "-", stdin=policy("to-db", 82))
    load(impatient, pod("gone", "node-2", "10.20.2.20"))
    impatient.settled()
    assert impatient.agent
    impatient.agent.send_signal(signal.SIGSTOP)
    impatient.control_plane.api_server.kill()
    impatient.control_plane.start()
    impatient.kubectl("delete", "networkpolicy", "to-db")
    remove(impatient, "gone")
    load(impatient, pod("new", "node-2", "10.20.2.20"))
    impatient.control_plane.api_server.kill()
    impatient.control_plane.compact()
    impatient.control_plane.start()
    impatient.agent.send_signal(signal.SIGCONT)
    impatient.settled()


def test_without_its_node_the_last_state_stays_in_force(impatient: AgentScene) -> None:
    flows = impatient.bridge.seen()
    impatient.kubectl("delete", "node", "node-1")
    impatient.wait(lambda: impatient.logged("input: ") > 0)
    impatient.kubectl("apply", "-f", "-", stdin=policy("to-db", 83))
    load(impatient, pod("meanwhile", "node-2", "10.20.2.30"))
    assert impatient.bridge.seen() == flows
    load(impatient, CLUSTER)
    impatient.settled()
    assert "tp_dst=83" in impatient.bridge.ofctl("dump-flows")


def test_no_address_stays_closed_when_the_node_goes_before_conntrack_has_forgotten_a_pod(impatient: AgentScene) -> None:
    load(impatient, pod("new", "node-2", "10.20.2.20"))
    impatient.settled()
    flows, before = impatient.bridge.seen(), impatient.logged("input: ")
    with exclusive(impatient.switch.location, impatient.bridge.bridge):  # conntrack forgets nothing meanwhile
        remove(impatient, "new")
        load(impatient, pod("new", "node-2", "10.20.2.20"))
        impatient.wait(lambda: impatient.bridge.seen() > flows)
        impatient.kubectl("delete", "node", "node-1")
    impatient.wait(lambda: impatient.logged("input: ") > before)
    assert impatient.bridge.seen() == flows
    load(impatient, CLUSTER)
    impatient.settled()


def test_node_with_another_number(impatient: AgentScene) -> None:
    load(impatient, CLUSTER.replace("192.168.50.2", "192.168.50.7"))
    impatient.settled()
    load(impatient, CLUSTER)
    impatient.settled()


def test_pod_of_the_same_name_on_another_node_and_another_pod_with_its_address(impatient: AgentScene) -> None:
    remove(impatient, "frontend")
    load(impatient, pod("frontend", "node-2", "10.20.2.40") + "---" + pod("heir", "node-1", "10.20.1.11"))
    impatient.settled()
    remove(impatient, "frontend")
    remove(impatient, "heir")
    load(impatient, CLUSTER)
    impatient.settled()


def test_event_of_1_4_mebibytes(impatient: AgentScene) -> None:
    load(impatient, pod("large", "node-2", "10.20.2.50", "x" * (1434 << 10)))
    impatient.settled()
    assert "10.20.2.50" in str(impatient.bridge.flows())
