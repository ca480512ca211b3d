"""A client uses a source port again while its server still has another connection from that port.

RFC 9293, 3.10.7.3 and 3.10.7.4: the server acknowledges the old connection, the client answers with a reset, and then
its SYN, sent again, opens the connection. Conntrack, which saw only that SYN, takes most of these packets to be
invalid.
"""

import pytest

from ovsnp.model.options import Encap
from tests.ovs.frames import End, Flag, Packet
from tests.ovs.service_scene import BACKENDS, CLUSTER_IP, ServiceScene, address_of, first, policy
from tests.ovs.wired import carried
from tests.support.combinations import covering

PORT = 40000
REMEMBERED = {"began": 700_000_000, "met": 500_000_000}
"""The sequence numbers of the earlier connection at the server."""
ANEW = 900_000_000
"""The sequence number with which the server begins when it has forgotten the earlier connection."""


@pytest.mark.parametrize(
    ("encap", "masquerade", "backend", "version"),
    covering(Encap, (False, True), ("web-0", "web-2"), (4, 6), strength=3),
)
def test_a_connection_comes_about_where_the_server_remembers_another(
    scene: ServiceScene, encap: Encap, masquerade: bool, backend: str, version: int
) -> None:
    scene.serve([backend])
    scene.apply("--encap", encap, *(["--masquerade"] if masquerade else []))
    client = address_of("client", version)
    opening = first(client, PORT, CLUSTER_IP[version], 80)

    def serves(answer: Packet) -> None:
        (back,) = scene.send(backend, answer)
        assert (back.at, back.packet.between()) == ("client", (End(CLUSTER_IP[version], 80), End(client, PORT)))
        assert not any(carried(outer, encap) for outer in scene.tunneled)

    def arrives(packet: Packet) -> Packet:
        (there,) = scene.send("client", packet)
        assert there.at == backend
        assert all(carried(outer, encap) for outer in scene.tunneled)
        return there.packet

    asked = arrives(opening)
    serves(asked.answer(Flag.ACK)._replace(**REMEMBERED))
    arrives(opening._replace(flags=Flag.RST, began=REMEMBERED["met"]))
    assert arrives(opening) == asked
    serves(asked.answer(Flag.SYN | Flag.ACK)._replace(began=ANEW))
    assert arrives(opening._replace(flags=Flag.ACK, met=ANEW)).between() == asked.between()
    serves(asked.answer(Flag.FIN | Flag.ACK)._replace(began=ANEW))


def test_what_was_not_admitted_does_not_pass_out_of_its_window(scene: ServiceScene) -> None:
    scene.serve(BACKENDS)
    scene.write("policy", policy("ingress", "web", "{podSelector: {matchLabels: {app: client}}}", "{port: 8080}"))
    scene.apply()
    opening = first(address_of("stranger", 4), PORT, CLUSTER_IP[4], 80)
    for packet in (opening, opening._replace(flags=Flag.RST, began=1), opening._replace(flags=Flag.ACK, met=ANEW)):
        assert scene.send("stranger", packet) == []
