"""The tables and registers that differ between the two directions, and between the peer tables."""

import msgspec

from ovsnp.flows.match import connection
from ovsnp.ir.ruleset import PeerTable
from ovsnp.model.policy import Direction
from ovsnp.pipeline import registers as r
from ovsnp.pipeline.drop_log import DropReason
from ovsnp.pipeline.fields import Field


class RuleTableSide(msgspec.Struct, frozen=True):
    """A direction's rule table: the table after it, the registers of the subject and the rule, and why it drops."""

    table: str
    after: str
    subject: Field
    rule: Field
    reason: DropReason


SIDES = {
    Direction.EGRESS: RuleTableSide("EgressRule", "Forward", r.EGRESS_SUBJECT, r.EGRESS_RULE, DropReason.EGRESS),
    Direction.INGRESS: RuleTableSide("IngressRule", "Commit", r.INGRESS_SUBJECT, r.INGRESS_RULE, DropReason.INGRESS),
}

PEER = {
    PeerTable.EGRESS: r.EGRESS_PEER,
    PeerTable.EGRESS_SERVICE: r.EGRESS_SERVICE_PEER,
    PeerTable.INGRESS: r.INGRESS_PEER,
}
"""The register to which a peer table writes the identity."""

OPENED = connection("-inv+trk")
"""The term that Open vSwitch requires beside a match on the destination that a connection was opened to."""
