"""SnatConntrack, Conntrack, ConntrackState, Commit: the state of a connection says whether policy judges a packet."""

from collections.abc import Iterator

from ovsnp.flows.action import Action, Commit, Goto, Move, SetField, Track
from ovsnp.flows.flow import Flow
from ovsnp.flows.match import Match, Term, connection, exactly, in_prefix, match_prefix
from ovsnp.flows.note import FlowNote, Purpose
from ovsnp.model.address import family, host_prefix
from ovsnp.model.bridge import Bridge
from ovsnp.model.ports import Protocol
from ovsnp.pipeline import fields as f
from ovsnp.pipeline import priorities as p
from ovsnp.pipeline import registers as r
from ovsnp.pipeline.conntrack import SNAT_ZONE, ZONE

_ADMITTED, _BOUND = exactly(r.ADMITTED, 1), exactly(r.SERVICE_LABEL, 1)
_ANSWERED = exactly(r.ANSWERED, 1)
_UNANSWERED = (_ADMITTED, exactly(r.ANSWERED, 0))
_UNANSWERED_SERVICE = (*_UNANSWERED, _BOUND)
_SENT_BY_POD = exactly(r.ORIGIN, r.Origin.POD)
_MARK = SetField(r.SERVICE_BOUND, 1)
_ONWARDS = Goto("DestinationNode")
_ANSWER = (SetField(r.ANSWERING, 1), _ONWARDS)
_JUDGE = (SetField(r.JUDGED, 1), Goto("Service"))
_JUDGE_BOUND = (SetField(r.JUDGED, 1), _MARK, _ONWARDS)
_MEMORY = (
    Move(r.INGRESS_RULE, r.INGRESS_RULE_LABEL),
    Move(r.EGRESS_RULE, r.EGRESS_RULE_LABEL),
    Move(r.ORIGIN_NODE, f.CT_MARK),
    Move(r.ORIGIN, r.ORIGIN_LABEL),
    SetField(r.ADMITTED, 1),
)


def flows(bridge: Bridge) -> Iterator[Flow]:
    """Connection tracking, in one zone for each address family."""
    for gateway in bridge.gateways:
        version = family(gateway)
        match = match_prefix(f.IP_DST, host_prefix(gateway))
        yield Flow("SnatConntrack", p.ALWAYS, match, (Track(SNAT_ZONE[version], "Conntrack"),))
    yield Flow("SnatConntrack", p.MISS, Match(), (Goto("Conntrack"),))
    for version in bridge.families:
        kind, zone = f.IP_KIND[version], ZONE[version]
        yield Flow("Conntrack", p.ALWAYS, Match(kind), (Track(zone, "ConntrackState"),))
        yield from _commits(bridge, version)
        yield from _portless(f.PROTOCOL_KIND[version, Protocol.SCTP])
        yield from _out_of_window(version)
    yield from _states()


def _states() -> Iterator[Flow]:
    yield _state(p.INVALID, "+inv+trk", Purpose.INVALID, ())
    yield _state(p.RELATED, "+rel+trk", Purpose.RELATED, (_ONWARDS,), terms=(_ADMITTED,))
    # The flag est is not enough: the userspace datapath sets it on a client's second packet, without any answer.
    open_service = (_MARK, _ONWARDS)
    yield _state(p.OPEN_SERVICE, "+est-rpl+trk", Purpose.OPEN_SERVICE, open_service, terms=(_ANSWERED, _BOUND))
    yield _state(p.FIRST_ANSWER, "+est+rpl+trk", Purpose.FIRST_ANSWER, _ANSWER, terms=_UNANSWERED)
    yield _state(p.OPEN, "+est+trk", Purpose.OPEN, (_ONWARDS,), terms=(_ANSWERED,))
    # The connection's destination is already translated, but no packet was answered yet.
    yield _state(p.OPENING_SERVICE, "-rel-rpl+trk", Purpose.OPENING_SERVICE, _JUDGE_BOUND, terms=(_BOUND,))
    yield _state(p.OPENING, "+new+trk", Purpose.OPENING, _JUDGE)
    yield _state(p.OPENING, "+est-rpl+trk", Purpose.UNANSWERED, _JUDGE, terms=(exactly(r.ANSWERED, 0),))


def own_openings(bridge: Bridge) -> Iterator[Flow]:
    """Drops of packets out of TCP's window that a pod sends on its own unanswered connection to a cluster IP.

    Such a packet is no answer, and only an answer may pass first (`_out_of_window`).
    """
    for version, value, length in bridge.local_prefixes:
        sent = (*_UNANSWERED_SERVICE, _SENT_BY_POD, in_prefix(f.IP_SRC[version], value, length))
        kind = f.PROTOCOL_KIND[version, Protocol.TCP]
        yield _state(p.OUT_OF_WINDOW_OPENING, "+inv+trk", Purpose.OUT_OF_WINDOW, (), kind, sent)


def _out_of_window(version: int) -> Iterator[Flow]:
    """TCP packets that pass although they are out of the window that conntrack saw.

    The userspace datapath before 3.2 gives a Service-bound connection another source port when the client uses its own
    port again. So a client's new connection may meet a server that remembers an older connection. Then the server's
    answer, the client's RST and the packets after these are out of the window, but TCP recovers if they arrive. Later
    versions keep the client's source port; there the same packets pass, and no others (tried on 3.5).

    Conntrack does not say in which direction such a packet goes. The first packet that passes must be an answer. Either
    a pod sends it on a connection that came through the tunnel. Or it is of a connection to a cluster IP, and comes
    through the tunnel or from an address that is no pod's. On other datapaths these flows match nothing: there, invalid
    packets have no label.
    """
    kind = f.PROTOCOL_KIND[version, Protocol.TCP]
    # A packet that no pod sent needs no carrier.
    bound = (_ANSWERED, _BOUND, _SENT_BY_POD)
    yield _state(p.OUT_OF_WINDOW_SERVICE, "+inv+trk", Purpose.OUT_OF_WINDOW, (_MARK, _ONWARDS), kind, bound)
    yield _state(p.OUT_OF_WINDOW, "+inv+trk", Purpose.OUT_OF_WINDOW, (_ONWARDS,), kind, (_ANSWERED,))
    answers = (
        (*_UNANSWERED_SERVICE, _SENT_BY_POD),
        (*_UNANSWERED_SERVICE, exactly(r.ORIGIN, r.Origin.TUNNEL)),
        (*_UNANSWERED, exactly(r.SERVICE_LABEL, 0), exactly(r.ORIGIN_LABEL, r.Origin.TUNNEL), _SENT_BY_POD),
    )
    for terms in answers:
        yield _state(p.OUT_OF_WINDOW_ANSWER, "+inv+trk", Purpose.OUT_OF_WINDOW_ANSWER, _ANSWER, kind, terms)


def _commits(bridge: Bridge, version: int) -> Iterator[Flow]:
    kind, zone = f.IP_KIND[version], ZONE[version]
    if not bridge.alone:
        # The source of a masqueraded connection is the gateway's address: only the carried address names the pod.
        carried = Move(r.CARRIED_SOURCE[version].part(0, r.CARRIED_LABEL.bits), r.CARRIED_LABEL)
        match = Match(kind, (exactly(r.CARRIED, 1),))
        yield _commit(p.CARRIED, match, zone, (*_MEMORY, carried), Purpose.CARRIED_SOURCE)
    match = Match(kind, (exactly(r.ANSWERING, 1),))
    yield _commit(p.FIRST_ANSWERED, match, zone, (SetField(r.ANSWERED, 1),), Purpose.FIRST_ANSWER)
    yield _commit(p.ALWAYS, Match(kind), zone, _MEMORY, Purpose.TABLE)


def _commit(priority: int, match: Match, zone: int, memory: tuple[Move | SetField, ...], purpose: Purpose) -> Flow:
    return Flow("Commit", priority, match, (Commit(zone, memory), Goto("Output")), FlowNote(purpose))


def _portless(kind: str) -> Iterator[Flow]:
    """Policy judges every SCTP packet of a client.

    Where conntrack knows no SCTP ports (the userspace datapath before 3.2), one admitted association would otherwise
    open every SCTP port between two pods. Where conntrack knows the ports, the only effect is that a tightened policy
    cuts an association (tried on 3.5).
    """
    yield _state(p.PORTLESS_SERVICE, "-rpl+trk", Purpose.PORTLESS, _JUDGE_BOUND, kind, (_BOUND,))
    yield _state(p.PORTLESS, "-rpl+trk", Purpose.PORTLESS, _JUDGE, kind)


def _state(
    priority: int,
    flags: str,
    purpose: Purpose,
    actions: tuple[Action, ...],
    kind: str = "",
    terms: tuple[Term, ...] = (),
) -> Flow:
    return Flow("ConntrackState", priority, Match(kind, (connection(flags), *terms)), actions, FlowNote(purpose))
