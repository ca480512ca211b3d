"""Faults while packets come all the time, each with a change of the policies meanwhile.

After each fault the bridge becomes what a compilation from nothing gives, no packet has passed that neither the old nor
the new policies allow, and the open connection, which both allow, goes on.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from ovsnp.kubernetes.connection import READ
from tests.agent.agent_scene import AgentScene
from tests.agent.test_api_faults import load, pod
from tests.agent.test_load import OF_POLICIES, POLICIES, policy
from tests.agent.traffic_scene import TrafficScene
from tests.cluster.control_plane import ControlPlane
from tests.cluster.proxy import Proxy
from tests.support.instance import DummySwitch

LARGEST = 1536 << 10
"""The bytes of the largest object that etcd takes (``--max-request-bytes``)."""


class Fire(NamedTuple):
    """Packets all the time, the agent's scene, and the proxy through which the agent reaches the API server."""

    traffic: TrafficScene
    scene: AgentScene
    proxy: Proxy

    def start(self, silence: float = READ) -> None:
        """Start the agent, for the first time or again: a new one does not wait long after the first error."""
        if self.scene.agent:
            self.scene.stop()
        self.scene.start("--kubeconfig", str(self.scene.directory / "proxy"), silence=silence)
        self.scene.settled()


@pytest.fixture(scope="module")
def fire(
    dummy_switch: DummySwitch, standing_control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fire]:
    """An agent that has settled, under packets; each test leaves it so."""
    standing_control_plane.start()
    standing_control_plane.clear()
    scene = AgentScene(dummy_switch, standing_control_plane, tmp_path_factory.mktemp("fire"))
    try:
        with Proxy(standing_control_plane) as proxy, TrafficScene(scene) as traffic:
            proxy.write_kubeconfig(scene.directory / "proxy")
            made = Fire(traffic, scene, proxy)
            made.start()
            traffic.open()
            yield made
    finally:
        scene.close()


@pytest.fixture
def new(fire: Fire) -> Fire:
    """The same with a new agent."""
    fire.start()
    return fire


@pytest.mark.parametrize("code", [429, 500, 503])
def test_api_server_that_answers_with_an_error(new: Fire, code: int) -> None:
    told, flows = new.scene.logged(str(code)), new.scene.bridge.seen()
    with new.proxy.refusing(code):
        new.traffic.change()
        new.scene.wait(lambda: new.scene.logged(str(code)) > told)
        assert new.scene.bridge.seen() == flows
    new.traffic.settle()


def test_connections_to_the_api_server_that_are_cut(new: Fire) -> None:
    for _ in range(2):
        new.proxy.cut()
        new.traffic.change()
        new.traffic.settle()


def test_connections_to_the_api_server_that_are_half_open(fire: Fire) -> None:
    fire.start(silence=3)
    told, flows = fire.scene.logged("no answer for too long"), fire.scene.bridge.seen()
    with fire.proxy.hanging():
        fire.traffic.change()
        fire.scene.wait(lambda: fire.scene.logged("no answer for too long") > told)
        assert fire.scene.bridge.seen() == flows
    fire.traffic.settle()
    fire.start()


def test_api_server_that_is_killed(new: Fire) -> None:
    new.traffic.change()
    new.scene.control_plane.api_server.kill()
    new.scene.control_plane.start()
    new.traffic.settle()
    new.traffic.change()
    new.traffic.settle()


def test_etcd_that_is_compacted(new: Fire) -> None:
    assert new.scene.agent
    new.scene.agent.send_signal(signal.SIGSTOP)
    new.traffic.change()
    new.scene.control_plane.api_server.kill()
    new.scene.control_plane.compact()
    new.scene.control_plane.start()
    new.scene.agent.send_signal(signal.SIGCONT)
    new.traffic.settle()


def test_ovs_vswitchd_that_is_killed(fire: Fire) -> None:
    fire.scene.switch.kill("ovs-vswitchd")
    fire.traffic.change()
    fire.scene.switch.start_switch()
    fire.traffic.settle()


def test_ovsdb_server_that_is_killed(fire: Fire) -> None:
    fire.scene.switch.kill("ovsdb-server")
    fire.traffic.change()
    fire.scene.switch.start_database()
    fire.traffic.settle()


def test_bridge_that_is_deleted_and_made_anew(fire: Fire) -> None:
    fire.traffic.remake()
    fire.traffic.change()
    fire.traffic.settle()


def test_flows_that_somebody_deletes(fire: Fire) -> None:
    for arguments in (["del-flows"], ["del-flows", "table=IngressRule"]):
        fire.scene.bridge.ofctl(*arguments)
        fire.traffic.change()
        fire.traffic.settle()


def test_event_of_the_largest_size(fire: Fire) -> None:
    """The API server adds managedFields and more, so the value is a little smaller."""
    load(fire.scene, pod("large", "node-2", "10.20.2.50", "x" * (LARGEST - (8 << 10))))
    fire.traffic.change()
    fire.traffic.settle()
    assert "10.20.2.50" in str(fire.scene.bridge.flows())


def test_thousands_of_policies_at_once(fire: Fire) -> None:
    client = fire.scene.control_plane.client
    fire.traffic.change()
    for number in range(POLICIES):
        client.post(OF_POLICIES, policy(number) | {"spec": {"podSelector": {"matchLabels": {"role": "none"}}}})
    fire.traffic.settle()
    for name in {f"policy-{number}" for number in range(POLICIES)}:
        client.delete(f"{OF_POLICIES}/{name}")
    fire.traffic.settle()


def test_second_agent_of_the_bridge_ends_and_changes_nothing(fire: Fire) -> None:
    bridge, location = fire.scene.bridge.bridge, fire.scene.switch.location
    command = [sys.executable, "-m", "ovsnp", "agent", "--node", "node-2", "--bridge", bridge]
    command += ["--kubeconfig", str(fire.scene.control_plane.kubeconfig), "--db", location.database]
    command += ["--socket", str(fire.scene.directory / "second.sock")]
    environment = {**os.environ, "OVS_RUNDIR": location.rundir}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert (ended.returncode, "keeps bridge" in ended.stderr) == (4, True), ended.stderr
    fire.traffic.change()
    fire.traffic.settle()
