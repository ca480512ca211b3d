"""SnatConntrack, Conntrack, ConntrackState, Commit: what becomes of a connection."""

from collections.abc import Iterator

from ovsnp.flows.action import Action, Commit, Goto, Move, SetField, Track
from ovsnp.flows.flow import Flow
from ovsnp.flows.match import Match, Term, connection, exactly, of_addresses
from ovsnp.model.address import family, host_prefix
from ovsnp.model.bridge import Bridge
from ovsnp.model.ports import Protocol
from ovsnp.pipeline import fields as f
from ovsnp.pipeline import priorities as p
from ovsnp.pipeline import registers as r
from ovsnp.pipeline.conntrack import SNAT_ZONE, ZONE

_ADMITTED, _BOUND = exactly(r.ADMITTED, 1), exactly(r.SERVICE_LABEL, 1)
_SENT_BY_POD = exactly(r.ORIGIN, r.Origin.POD)
_MARK = SetField(r.SERVICE_BOUND, 1)
_JUDGE = (SetField(r.JUDGED, 1), Goto("Service"))
_JUDGE_BOUND = (SetField(r.JUDGED, 1), _MARK, Goto("DestinationNode"))
_MEMORY = (
    Move(r.INGRESS_RULE, r.INGRESS_RULE_LABEL),
    Move(r.EGRESS_RULE, r.EGRESS_RULE_LABEL),
    Move(r.ORIGIN_NODE, f.CT_MARK),
    SetField(r.ADMITTED, 1),
)


def flows(bridge: Bridge) -> Iterator[Flow]:
    """Connection tracking, in a zone a family."""
    for gateway in bridge.gateways:
        version = family(gateway)
        match = of_addresses(f.IP_DST, host_prefix(gateway))
        yield Flow("SnatConntrack", p.ALWAYS, match, (Track(SNAT_ZONE[version], "Conntrack"),))
    yield Flow("SnatConntrack", p.MISS, Match(), (Goto("Conntrack"),))
    for version in bridge.families:
        kind, zone = f.IP_KIND[version], ZONE[version]
        yield Flow("Conntrack", p.ALWAYS, Match(kind), (Track(zone, "ConntrackState"),))
        yield Flow("Commit", p.ALWAYS, Match(kind), (Commit(zone, _MEMORY), Goto("Output")))
        yield from _portless(f.PROTOCOL_KIND[version, Protocol.SCTP])
        yield from _out_of_window(f.PROTOCOL_KIND[version, Protocol.TCP])
    yield from _states()


def _states() -> Iterator[Flow]:
    yield _state(p.INVALID, "+inv+trk", "invalid", ())
    yield _state(p.RELATED, "+rel+trk", "an error about an open connection", (Goto("DestinationNode"),))
    # A one-way sender's connection stays new for conntrack, so what was admitted is not asked for its state.
    bound = (_MARK, Goto("DestinationNode"))
    yield _state(p.OPEN_SERVICE, "-rpl+trk", "admitted, Service-bound", bound, terms=(_ADMITTED, _BOUND))
    yield _state(p.OPEN, "+trk", "admitted", (Goto("DestinationNode"),), terms=(_ADMITTED,))
    # Its destination is translated already, but no packet of it was admitted yet.
    yield _state(p.OPENING_SERVICE, "-rpl+trk", "Service-bound", _JUDGE_BOUND, terms=(_BOUND,))
    yield _state(p.OPENING, "+new+trk", "a new connection", _JUDGE)


def _out_of_window(kind: str) -> Iterator[Flow]:
    """A client's new connection may meet what its server remembers of another: the userspace datapath before 3.2
    gives a Service-bound connection another source port when its own comes round again. Then the server's answer, the
    client's RST and the rest are out of the window that conntrack saw, but TCP gets over it if it gets to see them.

    Their direction is not known; what a pod did not send needs no carrier.
    """
    note, bound = "TCP out of its window, of an admitted connection", (_ADMITTED, _BOUND, _SENT_BY_POD)
    yield _state(p.OUT_OF_WINDOW_SERVICE, "+inv+trk", note, (_MARK, Goto("DestinationNode")), kind, bound)
    yield _state(p.OUT_OF_WINDOW, "+inv+trk", note, (Goto("DestinationNode"),), kind, (_ADMITTED,))


def _portless(kind: str) -> Iterator[Flow]:
    """Where conntrack knows no SCTP ports (the userspace datapath before 3.2), one admitted association would open
    every SCTP port between two pods: what the client sends is judged packet by packet."""
    note = "SCTP from the client"
    yield _state(p.PORTLESS_SERVICE, "-rpl+trk", note, _JUDGE_BOUND, kind, (_BOUND,))
    yield _state(p.PORTLESS, "-rpl+trk", note, _JUDGE, kind)


def _state(
    priority: int, flags: str, note: str, actions: tuple[Action, ...], kind: str = "", terms: tuple[Term, ...] = ()
) -> Flow:
    return Flow("ConntrackState", priority, Match(kind, (connection(flags), *terms)), actions, note)
