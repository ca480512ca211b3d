"""What a packet carries from table to table, and what a connection remembers.

Registers are 32 bits wide and start at 0 for every packet; they survive ``ct()``.
"""

from enum import IntEnum

from ovsnp.pipeline.fields import Field, Form


class Origin(IntEnum):
    """By which kind of port a packet came in."""

    POD = 1
    TUNNEL = 2
    GATEWAY = 3


def _register(name: str, number: int, lsb: int = 0, bits: int = 32) -> Field:
    base = f"reg{number}"
    return Field(name, base, base, f"NXM_NX_REG{number}", 32, Form.HEX, frozenset(), lsb, bits)


def _label(name: str, lsb: int, bits: int) -> Field:
    return Field(name, "ct_label", "ct_label", "NXM_NX_CT_LABEL", 128, Form.HEX, frozenset(), lsb, bits)


ORIGIN = _register("origin", 0, 0, 2)
JUDGED = _register("judged", 0, 2, 1)
TO_NODE = _register("to_node", 0, 3, 1)
FROM_NODE = _register("from_node", 0, 4, 1)
EGRESS_SUBJECT = _register("egress_subject", 1)
INGRESS_SUBJECT = _register("ingress_subject", 2)
EGRESS_PEER = _register("egress_peer", 3)
INGRESS_PEER = _register("ingress_peer", 4)
EGRESS_RULE = _register("egress_rule", 5)
INGRESS_RULE = _register("ingress_rule", 6)
OUT_PORT = _register("out_port", 7)
ORIGIN_NODE = _register("origin_node", 8)

INGRESS_RULE_LABEL = _label("ct_ingress_rule", 0, 32)
EGRESS_RULE_LABEL = _label("ct_egress_rule", 32, 32)

MEANINGS = {
    ORIGIN: "by which port the packet came in: 1 a pod's, 2 the tunnel, 3 the gateway",
    JUDGED: "1: the packet opens a connection, so policy judges it",
    TO_NODE: "1: the destination is a node",
    FROM_NODE: "1: the source is a node",
    EGRESS_SUBJECT: "subject number of the sending local pod; 0: not isolated for egress",
    INGRESS_SUBJECT: "subject number of the receiving local pod; 0: not isolated for ingress",
    EGRESS_PEER: "identity of the destination; 0: in no peer set",
    INGRESS_PEER: "identity of the source; 0: in no peer set",
    EGRESS_RULE: "number of the egress rule that admits; 0: none was needed",
    INGRESS_RULE: "number of the ingress rule that admits; 0: none was needed",
    OUT_PORT: "OpenFlow port the packet leaves by",
    ORIGIN_NODE: "number of the node whose tunnel the packet came through; 0: none",
    INGRESS_RULE_LABEL: "the connection's ingress rule",
    EGRESS_RULE_LABEL: "the connection's egress rule",
}
"""Every register field and what it holds, in the order of the page that shows them."""
