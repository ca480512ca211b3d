"""Egress, Ingress: which packets policy judges, and which tables look up the two ends of a connection."""

from collections.abc import Iterator

from ovsnp.flows.action import Goto, Lookup, Move, Pop, Push
from ovsnp.flows.flow import Flow
from ovsnp.flows.match import Match, Term, exactly
from ovsnp.flows.note import FlowNote, Purpose
from ovsnp.lower.denial import Denial
from ovsnp.model.bridge import Bridge
from ovsnp.model.ports import Protocol
from ovsnp.pipeline import fields as f
from ovsnp.pipeline import priorities as p
from ovsnp.pipeline import registers as r
from ovsnp.pipeline.ports import TUNNEL_UDP_PORTS


def egress_flows(bridge: Bridge, guarded: Denial) -> Iterator[Flow]:
    """Policy on packets that local pods send, and the guard against tunnel packets that pods make themselves.

    ``guarded`` are the actions of the guard.
    """
    tunneled = (exactly(r.ORIGIN, r.Origin.POD), exactly(r.TO_NODE, 1))
    for version in bridge.families:
        for encap, port in TUNNEL_UDP_PORTS.items():
            match = Match(f.PROTOCOL_KIND[version, Protocol.UDP], (*tunneled, exactly(f.PORT_DST, port)))
            yield Flow("Egress", p.TUNNEL_GUARD, match, guarded, FlowNote(Purpose.TUNNEL_GUARD, (encap,)))
    yield _skip("Egress", p.UNJUDGED, exactly(r.JUDGED, 0), "Forward", Purpose.UNJUDGED)
    yield _skip("Egress", p.NODE_PEER, exactly(r.EXEMPT, 1), "Forward", Purpose.TO_EXEMPT_NODE)
    yield _skip("Egress", p.NOT_ISOLATED, exactly(r.EGRESS_SUBJECT, 0), "Forward", Purpose.NOT_ISOLATED)
    yield Flow("Egress", p.JUDGE, Match(), (Lookup("EgressPeer"), Goto("EgressRule")), FlowNote(Purpose.ISOLATED))


def service_block_flow() -> Flow:
    """The flow that also looks up the cluster IP of a connection, where ipBlocks may hold cluster IPs."""
    asked = (Lookup("EgressPeer"), Lookup("EgressServicePeer"), Goto("EgressRule"))
    match = Match("", (exactly(r.SERVICE_BOUND, 1),))
    return Flow("Egress", p.SERVICE_BLOCKS, match, asked, FlowNote(Purpose.ISOLATED_SERVICE))


def ingress_flows(bridge: Bridge) -> Iterator[Flow]:
    """Policy on packets that local pods receive."""
    yield _skip("Ingress", p.FIRST_ANSWERED, exactly(r.ANSWERING, 1), "Commit", Purpose.FIRST_ANSWERED)
    yield _skip("Ingress", p.UNJUDGED, exactly(r.JUDGED, 0), "Output", Purpose.UNJUDGED)
    yield _skip("Ingress", p.NOT_ISOLATED, exactly(r.INGRESS_SUBJECT, 0), "Commit", Purpose.NOT_ISOLATED)
    for version in bridge.families:
        match = Match(f.IP_KIND[version], (exactly(r.CARRIED, 1),))
        source = f.IP_SRC[version]
        asked = (Push(source), Move(r.CARRIED_SOURCE[version], source), Lookup("IngressPeer"), Pop(source))
        yield Flow("Ingress", p.CARRIED, match, (*asked, Goto("IngressRule")), FlowNote(Purpose.ISOLATED_CARRIED))
    direct = (Lookup("SourceNode"), Lookup("IngressPeer"), Goto("IngressRule"))
    yield Flow("Ingress", p.JUDGE, Match(), direct, FlowNote(Purpose.ISOLATED))
    yield _skip("IngressRule", p.NODE_PEER, exactly(r.FROM_NODE, 1), "Commit", Purpose.FROM_EXEMPT_NODE)


def _skip(table: str, priority: int, term: Term, to: str, purpose: Purpose) -> Flow:
    return Flow(table, priority, Match("", (term,)), (Goto(to),), FlowNote(purpose))
