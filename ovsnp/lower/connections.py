"""SnatConntrack, Conntrack, ConntrackState, Service, Commit: what becomes of a connection."""

from collections.abc import Iterator

from ovsnp.flows.action import Action, Commit, Goto, Move, SetField, Track
from ovsnp.flows.flow import Flow
from ovsnp.flows.match import Match, connection
from ovsnp.model.bridge import Bridge
from ovsnp.model.ports import Protocol
from ovsnp.pipeline import fields as f
from ovsnp.pipeline import priorities as p
from ovsnp.pipeline import registers as r
from ovsnp.pipeline.conntrack import ZONE

_JUDGE = (SetField(r.JUDGED, 1), Goto("Service"))
_MEMORY = (
    Move(r.INGRESS_RULE, r.INGRESS_RULE_LABEL),
    Move(r.EGRESS_RULE, r.EGRESS_RULE_LABEL),
    Move(r.ORIGIN_NODE, f.CT_MARK),
)


def flows(bridge: Bridge) -> Iterator[Flow]:
    """Connection tracking, in a zone a family."""
    yield Flow("SnatConntrack", p.MISS, Match(), (Goto("Conntrack"),))
    yield Flow("Service", p.MISS, Match(), (Goto("DestinationNode"),))
    for version in bridge.families:
        kind, zone = f.IP_KIND[version], ZONE[version]
        yield Flow("Conntrack", p.ALWAYS, Match(kind), (Track(zone, "ConntrackState"),))
        yield Flow("Commit", p.ALWAYS, Match(kind), (Commit(zone, _MEMORY), Goto("Output")))
        # Where conntrack knows no SCTP ports (the userspace datapath before 3.2), one allowed association would
        # open every SCTP port between two pods: what the client sends is judged packet by packet.
        yield _state(
            p.PORTLESS, "+est-rpl+trk", "SCTP from the client", _JUDGE, f.PROTOCOL_KIND[version, Protocol.SCTP]
        )
    yield _state(p.INVALID, "+inv+trk", "invalid", ())
    yield _state(p.RELATED, "+rel+trk", "an error about an open connection", (Goto("DestinationNode"),))
    yield _state(p.OPENING, "+new+trk", "a new connection", _JUDGE)
    yield _state(p.OPEN, "+est+trk", "an open connection", (Goto("DestinationNode"),))


def _state(priority: int, flags: str, note: str, actions: tuple[Action, ...], kind: str = "") -> Flow:
    return Flow("ConntrackState", priority, Match(kind, (connection(flags),)), actions, note)
