"""A connection that was admitted but never answered: the current policy judges each of its packets.

Conntrack alone is not enough: in the userspace datapath a client's second TCP packet makes its own connection
established.
"""

import pytest

from ovsnp.model.options import Encap
from ovsnp.model.ports import Protocol
from tests.ovs.frames import Flag, Packet
from tests.ovs.service_scene import BACKENDS, CLUSTER_IP, ServiceScene, address_of, first, policy
from tests.support.combinations import covering

PORT = 40000
OUT_OF_WINDOW = 3_000_000_000
CLIENTS, NOBODY = "{podSelector: {matchLabels: {app: client}}}", "{podSelector: {matchLabels: {app: nobody}}}"
PORTS = "{port: 8080}, {port: 5353, protocol: UDP}"
ADMITS = {
    "ingress": policy("ingress", "web", CLIENTS, PORTS),
    "egress": policy("egress", "client", "{podSelector: {matchLabels: {app: web}}}", PORTS),
}
FORBIDS = {
    "ingress": policy("ingress", "web", NOBODY, "{port: 1}"),
    "egress": policy("egress", "client", NOBODY, "{port: 1}"),
}


def opening(by_service: bool, backend: str, version: int, protocol: Protocol) -> Packet:
    """The first packet of a connection to a backend, directly or through the Service."""
    service_port, port = {Protocol.TCP: (80, 8080), Protocol.UDP: (53, 5353)}[protocol]
    to = (CLUSTER_IP[version], service_port) if by_service else (address_of(backend, version), port)
    return first(address_of("client", version), PORT, *to, protocol)


def openings(backend: str, version: int) -> list[Packet]:
    """The first packets of TCP and UDP, directly to the backend and through the Service."""
    return [opening(way, backend, version, each) for way in (False, True) for each in (Protocol.TCP, Protocol.UDP)]


def later(packet: Packet) -> list[Packet]:
    """The same packet again, and other packets that a client could send on the tuple."""
    if packet.protocol is Protocol.UDP:
        return [packet, packet]
    acknowledging = packet._replace(flags=Flag.ACK)
    return [
        packet,
        acknowledging,
        acknowledging._replace(began=OUT_OF_WINDOW),
        packet._replace(flags=Flag.RST, began=OUT_OF_WINDOW),
        packet._replace(flags=Flag.FIN | Flag.ACK),
        packet,
    ]


# A backend is on the client's node or on the other node.
cases = pytest.mark.parametrize(
    ("encap", "masquerade", "version", "name", "direction"),
    covering(Encap, (False, True), (4, 6), ("web-0", "web-2"), ("ingress", "egress"), strength=3),
)


@cases
def test_a_connection_that_was_never_answered_is_judged_anew(
    scene: ServiceScene, encap: Encap, masquerade: bool, version: int, name: str, direction: str
) -> None:
    options = ("--encap", encap, *(["--masquerade"] if masquerade else []))
    scene.serve([name])
    scene.write("policy", ADMITS[direction])
    scene.apply(*options)
    asked = openings(name, version)
    for packet in asked:
        assert [arrival.at for arrival in scene.send("client", packet)] == [name]
        if packet.protocol is Protocol.TCP:
            # Conntrack takes this packet to be established.
            assert [arrival.at for arrival in scene.send("client", packet._replace(flags=Flag.ACK))] == [name]
    scene.write("policy", FORBIDS[direction])
    scene.apply(*options)
    for packet in asked:
        for again in later(packet):
            assert scene.send("client", again) == [], again


@cases
def test_an_answered_connection_goes_on(
    scene: ServiceScene, encap: Encap, masquerade: bool, version: int, name: str, direction: str
) -> None:
    options = ("--encap", encap, *(["--masquerade"] if masquerade else []))
    scene.serve([name])
    scene.write("policy", ADMITS[direction])
    scene.apply(*options)
    asked = openings(name, version)
    for packet in asked:
        (there,) = scene.send("client", packet)
        flags = Flag.SYN | Flag.ACK if packet.protocol is Protocol.TCP else Flag.NONE
        assert [arrival.at for arrival in scene.send(name, there.packet.answer(flags))] == ["client"]
    scene.write("policy", FORBIDS[direction])
    scene.apply(*options)
    for packet in asked:
        flags = Flag.ACK if packet.protocol is Protocol.TCP else Flag.NONE
        (there,) = scene.send("client", packet._replace(flags=flags))
        assert [arrival.at for arrival in scene.send(name, there.packet.answer(flags))] == ["client"]


@pytest.mark.parametrize("version", [4, 6])
def test_one_way_traffic_costs_no_megaflow_a_packet(scene: ServiceScene, version: int) -> None:
    scene.serve(BACKENDS)
    scene.write("policy", ADMITS["ingress"])
    scene.apply()
    packet = opening(False, "web-0", version, Protocol.UDP)
    scene.send("client", packet)
    before = _missed(scene)
    for _ in range(100):
        assert [arrival.at for arrival in scene.send("client", packet)] == ["web-0"]
    assert _missed(scene) - before <= 4


def _missed(scene: ServiceScene) -> int:
    text = scene.nodes[0].switch.appctl("dpctl/show")
    return int(text.partition("missed:")[2].split()[0])
