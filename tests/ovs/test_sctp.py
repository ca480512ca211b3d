"""SCTP between pods: policy judges each packet of the client, whether or not conntrack knows the ports of SCTP."""

import re

import pytest

from ovsnp.model.ports import Protocol
from tests.ovs.frames import Packet
from tests.ovs.service_scene import ServiceScene, address_of, first, policy

ADMITTED, OTHER, FROM = 8080, 9090, 40000
FIRST_WITH_PORTS = (3, 2)
"""The first version of Open vSwitch with a userspace datapath that tracks ports of SCTP."""


def version_of(scene: ServiceScene) -> tuple[int, ...]:
    """The version of the running Open vSwitch."""
    (found,) = re.findall(r"^ovs-vswitchd \(Open vSwitch\) (\d+)\.(\d+)", scene.nodes[0].switch.appctl("version"))
    return tuple(map(int, found))


@pytest.fixture
def association(scene: ServiceScene) -> Packet:
    """A packet of the client in an answered association, at the only port that a policy admits."""
    admit(scene, ADMITTED)
    asked = first(address_of("client", 4), FROM, address_of("web-0", 4), ADMITTED, Protocol.SCTP)
    assert arrives(scene, "client", asked)
    assert arrives(scene, "web-0", asked.answer())
    return asked


def admit(scene: ServiceScene, port: int) -> None:
    ports = f"{{protocol: SCTP, port: {port}}}"
    scene.write("policy", policy("ingress", "web", "{podSelector: {matchLabels: {app: client}}}", ports))
    scene.write("isolated", policy("ingress", "client", "{podSelector: {}}", "{port: 1}").replace("only", "clients"))
    scene.apply()


def arrives(scene: ServiceScene, sender: str, packet: Packet) -> bool:
    """True if a packet comes out at the other pod."""
    return len(scene.send(sender, packet)) == 1


def to_port(packet: Packet, port: int) -> Packet:
    return packet._replace(destination=packet.destination._replace(port=port))


def test_an_association_opens_its_own_port_only(scene: ServiceScene, association: Packet) -> None:
    assert arrives(scene, "client", association)
    assert not arrives(scene, "client", to_port(association, OTHER))


def test_a_tightened_policy_cuts_the_client(scene: ServiceScene, association: Packet) -> None:
    admit(scene, OTHER)
    assert not arrives(scene, "client", association)


def test_the_server_reaches_other_ports_of_the_client_only_where_conntrack_knows_none(
    scene: ServiceScene, association: Packet
) -> None:
    answer = association.answer()
    assert arrives(scene, "web-0", answer)
    assert arrives(scene, "web-0", to_port(answer, FROM + 1)) == (version_of(scene) < FIRST_WITH_PORTS)
