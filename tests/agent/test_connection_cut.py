"""An agent with ``--established cut`` ends the open connections that a change forbids, and touches no other."""

import signal
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from ovsnp.model.ports import Protocol
from ovsnp.pipeline.conntrack import ZONE
from ovsnp.pipeline.ports import ROUTER_MAC
from ovsnp.pipeline.registers import ANSWERED
from ovsnp.switch.conntrack import Tracked, conntrack
from ovsnp.switch.datapath import datapath
from ovsnp.switch.ovsdb import Database
from tests.agent import killed_before_cut
from tests.agent.agent_scene import AgentScene
from tests.ovs.frames import End, Flag, Packet, frame, parse
from tests.support.applying import policy
from tests.support.instance import DummySwitch

FRONTEND, DB = ("fe0", "10.20.1.11"), ("db0", "10.20.1.10")
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: front}
spec: {ports: [{name: main, port: 8000}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: front-1, labels: {kubernetes.io/service-name: front}}
addressType: IPv4
ports: [{name: main, port: 80}]
endpoints: [{addresses: ["10.20.1.10"]}]
"""
HEIR = """
apiVersion: v1
kind: Pod
metadata: {name: heir, labels: {role: frontend}}
spec: {nodeName: node-1, containers: [{name: main}]}
status: {phase: Running, podIPs: [{ip: "10.20.1.11"}]}
"""
TO_HEIR = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: to-heir}
spec:
  podSelector: {matchLabels: {role: frontend}}
  ingress: [{from: [{podSelector: {matchLabels: {role: db}}}], ports: [{port: 443}]}]
"""


@pytest.fixture(autouse=True)
def _lasting(dummy_switch: DummySwitch) -> Iterator[None]:
    """No connection expires, however busy the machine is."""
    with dummy_switch.lasting_connections():
        yield


def send(scene: AgentScene, sender: tuple[str, str], packet: Packet) -> None:
    """Put a packet into the port of a pod."""
    name, address = sender
    mac = 0x0A58 << 32 | int.from_bytes(bytes(map(int, address.split("."))), "big")
    scene.switch.appctl("netdev-dummy/receive", name, frame(packet, mac, ROUTER_MAC))


def opening(port: int, address: str = DB[1]) -> Packet:
    """The first packet of the frontend to a port of the database, or of another address."""
    return Packet(Protocol.TCP, End(FRONTEND[1], 40000), End(address, port), Flag.SYN)


def converse(scene: AgentScene, port: int, front: tuple[str, int] | None = None) -> None:
    """Open a TCP connection from the frontend to a port of the database, or to a cluster IP; the database answers."""
    address, front_port = front or (DB[1], port)
    send(scene, FRONTEND, opening(front_port, address))
    # Open vSwitch takes packets of different ports in any order.
    scene.wait(lambda: front_port in {entry.port for entry in entries(scene)})
    send(scene, DB, opening(port).answer(Flag.SYN | Flag.ACK))
    scene.wait(lambda: front_port in open_to(scene))


def open_to(scene: AgentScene) -> set[int]:
    """The ports to which connections are open, and answered."""
    return {entry.port for entry in entries(scene) if entry.label >> ANSWERED.lsb & 1}


def entries(scene: AgentScene) -> list[Tracked]:
    """The connections that conntrack has."""
    location = scene.switch.location
    with Database(location) as database:
        below = datapath(location, database, scene.bridge.bridge)
    with conntrack(location, scene.bridge.bridge, below) as tracker:
        return [*tracker.entries(ZONE[4])]


def captured(file: Path) -> list[Packet]:
    """The TCP packets that came out at a port, oldest first."""
    data, at, found = file.read_bytes(), 24, []
    while at + 16 <= len(data):
        (length,) = struct.unpack_from("<I", data, at + 8)
        frame_ = data[at + 16 : at + 16 + length]
        at += 16 + length
        if len(frame_) == length and frame_[12:14] == b"\x08\x00":
            found.append(parse(frame_))
    return found


def test_a_change_ends_what_it_forbids(scene: AgentScene) -> None:
    scene.start("--established", "cut")
    scene.settled()
    converse(scene, 80)
    converse(scene, 90)
    converse(scene, 91)
    scene.kubectl("apply", "-f", "-", stdin=policy("to-db", 80))
    scene.wait(lambda: open_to(scene) == {80})
    scene.wait(lambda: "connections that the policies forbid: 2 cut" in scene.log.read_text())
    scene.settled()
    assert open_to(scene) == {80}
    scene.kubectl("label", "pod", "frontend", "role=other", "--overwrite")
    scene.wait(lambda: not open_to(scene))
    assert scene.stop() == 0


def test_what_is_forbidden_at_the_start_ends(scene: AgentScene) -> None:
    scene.start()
    scene.settled()
    converse(scene, 80)
    converse(scene, 90)
    scene.kubectl("apply", "-f", "-", stdin=policy("to-db", 80))
    scene.settled()
    assert open_to(scene) == {80, 90}
    scene.stop()
    scene.start("--established", "cut")
    scene.wait(lambda: open_to(scene) == {80})
    scene.stop()


def test_killed_between_the_flows_and_the_cut(scene: AgentScene) -> None:
    scene.start("--established", "cut", program=killed_before_cut)
    scene.settled()
    converse(scene, 80)
    converse(scene, 90)
    scene.kubectl("apply", "-f", "-", stdin=policy("to-db", 80))
    assert scene.ended() == -signal.SIGKILL
    assert open_to(scene) == {80, 90}
    scene.start("--established", "cut")
    scene.wait(lambda: open_to(scene) == {80})
    assert scene.stop() == 0


def test_killed_before_connections_to_an_endpoint_that_is_gone_are_cut(scene: AgentScene) -> None:
    scene.kubectl("apply", "-f", "-", stdin=SERVICE)
    scene.start(program=killed_before_cut)
    scene.settled()
    front = scene.kubectl("get", "service", "front", "-o", "jsonpath={.spec.clusterIP}")
    converse(scene, 80, (front, 8000))
    converse(scene, 90)
    scene.kubectl("delete", "endpointslice", "front-1")
    assert scene.ended() == -signal.SIGKILL
    assert open_to(scene) == {8000, 90}
    scene.start()
    scene.wait(lambda: open_to(scene) == {90})
    assert scene.stop() == 0


def test_connections_of_a_pod_that_is_gone_end_always(scene: AgentScene) -> None:
    """The next pod with the address gets no packet of the connection; a connection of another pod goes on."""
    capture, heir = scene.directory / "fe0.pcap", scene.directory / "heir.yaml"
    scene.bridge.vsctl("set", "Interface", "fe0", f"options:tx_pcap={capture}")
    scene.start()
    scene.settled()
    converse(scene, 80)
    send(scene, DB, opening(81, "10.20.2.11")._replace(source=End(DB[1], 40000)))
    scene.wait(lambda: {entry.port for entry in entries(scene)} == {80, 81})
    scene.wait(lambda: [packet.source.port for packet in captured(capture)] == [80])
    scene.kubectl("delete", "pod", "frontend", "--force", "--grace-period=0")
    scene.wait(lambda: {entry.port for entry in entries(scene)} == {81})
    scene.bridge.vsctl("set", "Interface", "fe0", "external_ids:iface-id=default/heir")
    heir.write_text(HEIR)
    scene.control_plane.load(heir)
    scene.kubectl("apply", "-f", "-", stdin=TO_HEIR)
    scene.settled()
    send(scene, DB, opening(80).answer(Flag.ACK))
    send(scene, DB, opening(443, FRONTEND[1])._replace(source=End(DB[1], 40000)))
    scene.wait(lambda: len(captured(capture)) > 1)
    assert [packet.destination.port for packet in captured(capture)] == [40000, 443]
    assert {entry.port for entry in entries(scene)} == {81, 443}
    assert scene.stop() == 0
