"""What is different between the two directions, and between the tables that know peers."""

import msgspec

from ovsnp.flows.match import connection
from ovsnp.ir.ruleset import PeerTable
from ovsnp.model.policy import Direction
from ovsnp.pipeline import registers as r
from ovsnp.pipeline.fields import Field


class RuleTableSide(msgspec.Struct, frozen=True):
    """A direction's rule table: where what it admits goes on, and the registers of the subject and the rule."""

    table: str
    after: str
    subject: Field
    rule: Field


SIDES = {
    Direction.EGRESS: RuleTableSide("EgressRule", "Forward", r.EGRESS_SUBJECT, r.EGRESS_RULE),
    Direction.INGRESS: RuleTableSide("IngressRule", "Commit", r.INGRESS_SUBJECT, r.INGRESS_RULE),
}

PEER = {
    PeerTable.EGRESS: r.EGRESS_PEER,
    PeerTable.EGRESS_SERVICE: r.EGRESS_SERVICE_PEER,
    PeerTable.INGRESS: r.INGRESS_PEER,
}
"""The register that gets the identity."""

OPENED = connection("-inv+trk")
"""What Open vSwitch wants to be matched beside the destination that a connection was opened to."""
