"""The registers of a packet, and the conntrack label of a connection.

Registers are 32 bits wide and start at 0 for every packet; they keep their values over ``ct()``.
"""

from enum import IntEnum

from ovsnp.pipeline.fields import Field, Form
from ovsnp.pipeline.oxm import Oxm


class Origin(IntEnum):
    """The kind of port that a packet came in by."""

    POD = 1
    TUNNEL = 2
    GATEWAY = 3


_CT_LABEL = Oxm("NXM_NX_CT_LABEL", 108, 16)


def _register(name: str, number: int, lsb: int = 0, bits: int = 32) -> Field:
    base, oxm = f"reg{number}", Oxm(f"NXM_NX_REG{number}", number, 4)
    return Field(name, base, base, oxm, oxm, 32, Form.HEX, frozenset(), lsb, bits)


def _wide_register(name: str, number: int) -> Field:
    base, oxm = f"xxreg{number}", Oxm(f"NXM_NX_XXREG{number}", 111 + number, 16)
    return Field(name, base, base, oxm, oxm, 128, Form.HEX, frozenset(), 0, 128)


def _label(name: str, lsb: int, bits: int) -> Field:
    return Field(name, "ct_label", "ct_label", _CT_LABEL, _CT_LABEL, 128, Form.HEX, frozenset(), lsb, bits)


ORIGIN = _register("origin", 0, 0, 2)
JUDGED = _register("judged", 0, 2, 1)
TO_NODE = _register("to_node", 0, 3, 1)
FROM_NODE = _register("from_node", 0, 4, 1)
CARRIED = _register("carried", 0, 5, 1)
HAIRPIN = _register("hairpin", 0, 6, 1)
SERVICE_BOUND = _register("service_bound", 0, 7, 1)
EXEMPT = _register("exempt", 0, 8, 1)
ANSWERING = _register("answering", 0, 9, 1)
ADVERTISED_OPTION = _register("advertised_option", 0, 10, 8)
ADVERTISED_FLAGS = _register("advertised_flags", 0, 18, 3)
EGRESS_SUBJECT = _register("egress_subject", 1)
INGRESS_SUBJECT = _register("ingress_subject", 2)
EGRESS_PEER = _register("egress_peer", 3)
INGRESS_PEER = _register("ingress_peer", 4)
EGRESS_RULE = _register("egress_rule", 5)
INGRESS_RULE = _register("ingress_rule", 6)
OUT_PORT = _register("out_port", 7)
ORIGIN_NODE = _register("origin_node", 8)
ENDPOINT = _register("endpoint", 10)
EGRESS_SERVICE_PEER = _register("egress_service_peer", 11)
CARRIED_SOURCE = {
    4: _register("carried_ipv4_src", 9),
    6: _wide_register("carried_ipv6_src", 3),
}
CARRIED_SOURCE_PARTS = {4: (CARRIED_SOURCE[4].base,), 6: ("reg12", "reg13", "reg14", "reg15")}
"""The same 32 bits at a time, the highest first: a trace names no other registers."""

PACKET_REGISTERS = tuple(Oxm(f"OXM_OF_PKT_REG{number}", number, 8) for number in range(8))
"""Pairs of registers, as OpenFlow 1.5 matches registers: the even register is the upper half."""

PACKED: dict[str, tuple[tuple[Oxm, int], ...]] = {
    **{f"reg{number}": ((PACKET_REGISTERS[number // 2], 0 if number % 2 else 32),) for number in range(16)},
    **{f"xxreg{n}": ((PACKET_REGISTERS[2 * n], -64), (PACKET_REGISTERS[2 * n + 1], 0)) for n in range(4)},
}
"""The places of each register in `PACKET_REGISTERS`; a value is shifted to the left by this number of bits."""

INGRESS_RULE_LABEL = _label("ct_ingress_rule", 0, 32)
EGRESS_RULE_LABEL = _label("ct_egress_rule", 32, 32)
ADMITTED = _label("ct_admitted", 64, 1)
SERVICE_LABEL = _label("ct_service_bound", 65, 1)
ANSWERED = _label("ct_answered", 66, 1)
ORIGIN_LABEL = _label("ct_origin", 67, 2)
CARRIED_LABEL = _label("ct_carried", 96, 32)

MEANINGS = {
    ORIGIN: "the kind of port that the packet came in by: 1 a pod's, 2 the tunnel, 3 the gateway",
    JUDGED: "1: policy judges the packet",
    TO_NODE: "1: the destination is a node",
    EXEMPT: "1: the destination is a node that pods always reach",
    ANSWERING: "1: the packet is the first answer to an admitted connection",
    ADVERTISED_OPTION: "type of the option of a neighbour advertisement",
    ADVERTISED_FLAGS: "flags of a neighbour advertisement",
    FROM_NODE: "1: the source is a node that always reaches pods",
    CARRIED: "1: the tunnel header carried the source pod's address",
    HAIRPIN: "1: the packet goes back out of the port it came in by",
    SERVICE_BOUND: "1: the packet goes to a cluster IP's endpoint (replies do not)",
    EGRESS_SUBJECT: "subject number of the sending local pod; 0: not isolated for egress",
    INGRESS_SUBJECT: "subject number of the receiving local pod; 0: not isolated for ingress",
    EGRESS_PEER: "identity of the destination; 0: in no peer set",
    INGRESS_PEER: "identity of the source; 0: in no peer set",
    EGRESS_RULE: "number of the egress rule that admits the packet; 0: the packet needs no rule",
    INGRESS_RULE: "number of the ingress rule that admits the packet; 0: the packet needs no rule",
    OUT_PORT: "OpenFlow port that the packet leaves by",
    ORIGIN_NODE: "number of the node whose tunnel the packet came through; 0: none",
    EGRESS_SERVICE_PEER: "identity of the cluster IP that the connection was opened to; 0: in no ipBlock",
    ENDPOINT: "number of the endpoint that a client of a Service with sessionAffinity gets; 0: none yet",
    CARRIED_SOURCE[4]: "the source pod's IPv4 address, as the tunnel header carried it",
    CARRIED_SOURCE[6]: "the source pod's IPv6 address, as the tunnel header carried it",
    INGRESS_RULE_LABEL: "number of the ingress rule that admitted the connection; 0: the connection needed no rule",
    EGRESS_RULE_LABEL: "number of the egress rule that admitted the connection; 0: the connection needed no rule",
    ADMITTED: "1: the policies of both ends admitted the connection, as far as this bridge judges them",
    SERVICE_LABEL: "1: the connection goes to a cluster IP, and has an endpoint",
    ANSWERED: "1: the destination of an admitted connection has answered; until then policy judges each packet",
    ORIGIN_LABEL: "the kind of port that the connection was opened by: 1 a pod's, 2 the tunnel, 3 the gateway",
    CARRIED_LABEL: "the last 32 bits of the source pod's address that the tunnel header carried; 0: it carried none",
}
"""The content of every register field, in the order of docs/pipeline.md."""
