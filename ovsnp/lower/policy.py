"""Egress and Ingress with their Peer and Rule tables: the policies' three questions.

Who is the peer (longest prefix), who is the subject (set where the packet came in or was routed), which rule
allows it (a conjunction of subject, peer and port). Clauses of different rules with the same match are one flow.
"""

from collections import defaultdict
from collections.abc import Iterator

import msgspec

from ovsnp.flows.action import Conjunction, Goto, Lookup, Move, Pop, Push, SetField
from ovsnp.flows.flow import Flow
from ovsnp.flows.match import Match, Term, connection, exactly, in_prefix, of_addresses
from ovsnp.model.bridge import Bridge
from ovsnp.model.clauses import Clauses, Identity, PortMask, RuleClauses, SubjectClass
from ovsnp.model.ports import Protocol
from ovsnp.model.ruleset import RuleRef
from ovsnp.pipeline import fields as f
from ovsnp.pipeline import priorities as p
from ovsnp.pipeline import registers as r
from ovsnp.pipeline.fields import Field
from ovsnp.pipeline.ports import TUNNEL_UDP_PORTS


class _Side(msgspec.Struct, frozen=True):
    """What is different between the two directions."""

    name: str
    after: str
    address: dict[int, Field]
    subject: Field
    peer: Field
    rule: Field


_OPENED = connection("-inv+trk")
"""What Open vSwitch wants to be matched beside the destination that a connection was opened to."""

_EGRESS = _Side("Egress", "Forward", f.IP_DST, r.EGRESS_SUBJECT, r.EGRESS_PEER, r.EGRESS_RULE)
_INGRESS = _Side("Ingress", "Commit", f.IP_SRC, r.INGRESS_SUBJECT, r.INGRESS_PEER, r.INGRESS_RULE)


def egress_flows(bridge: Bridge, clauses: Clauses) -> Iterator[Flow]:
    """Policy on what local pods send, and the guard on tunnel packets that they make themselves."""
    tunneled = (exactly(r.ORIGIN, r.Origin.POD), exactly(r.TO_NODE, 1))
    for version in bridge.families:
        for encap, port in TUNNEL_UDP_PORTS.items():
            match = Match(f.PROTOCOL_KIND[version, Protocol.UDP], (*tunneled, exactly(f.PORT_DST, port)))
            yield Flow("Egress", p.TUNNEL_GUARD, match, (), f"a pod's own {encap} packets to a node")
    yield _skip("Egress", p.UNJUDGED, exactly(r.JUDGED, 0), "Forward", "open connections, and errors about them")
    yield _skip("Egress", p.NODE_PEER, exactly(r.EXEMPT, 1), "Forward", "pods always reach nodes")
    yield _skip("Egress", p.NOT_ISOLATED, exactly(r.EGRESS_SUBJECT, 0), "Forward", "not isolated")
    yield Flow("Egress", p.JUDGE, Match(), (Lookup("EgressPeer"), Goto("EgressRule")), "isolated pods")
    yield from _service_peer_flows(clauses)
    yield from _peer_flows(_EGRESS, clauses)
    yield from _rule_flows(_EGRESS, clauses, bridge.families)


def ingress_flows(bridge: Bridge, clauses: Clauses) -> Iterator[Flow]:
    """Policy on what local pods receive."""
    yield _skip("Ingress", p.FIRST_ANSWERED, exactly(r.ANSWERING, 1), "Commit", "the first answer to a connection")
    yield _skip("Ingress", p.UNJUDGED, exactly(r.JUDGED, 0), "Output", "open connections, and errors about them")
    yield _skip("Ingress", p.NOT_ISOLATED, exactly(r.INGRESS_SUBJECT, 0), "Commit", "not isolated")
    for version in bridge.families:
        match = Match(f.IP_KIND[version], (exactly(r.CARRIED, 1),))
        source = f.IP_SRC[version]
        asked = (Push(source), Move(r.CARRIED_SOURCE[version], source), Lookup("IngressPeer"), Pop(source))
        yield Flow("Ingress", p.CARRIED, match, (*asked, Goto("IngressRule")), "isolated pods, the source as carried")
    direct = (Lookup("SourceNode"), Lookup("IngressPeer"), Goto("IngressRule"))
    yield Flow("Ingress", p.JUDGE, Match(), direct, "isolated pods")
    yield _skip("IngressRule", p.NODE_PEER, exactly(r.FROM_NODE, 1), "Commit", "nodes always reach pods")
    yield from _peer_flows(_INGRESS, clauses)
    yield from _rule_flows(_INGRESS, clauses, bridge.families)


def _skip(table: str, priority: int, term: Term, to: str, note: str) -> Flow:
    return Flow(table, priority, Match("", (term,)), (Goto(to),), note)


def _peer_flows(side: _Side, clauses: Clauses) -> Iterator[Flow]:
    for (version, value, length), identity in clauses.peers:
        match = Match(f.IP_KIND[version], (in_prefix(side.address[version], value, length),))
        action = SetField(side.peer, identity.number if identity else 0)
        yield Flow(f"{side.name}Peer", p.PEER + length, match, (action,), _peer_note(identity))


def _service_peer_flows(clauses: Clauses) -> Iterator[Flow]:
    """What a connection was opened to is remembered with it: its destination was translated long since."""
    if not clauses.service_peers:
        return
    asked = (Lookup("EgressPeer"), Lookup("EgressServicePeer"), Goto("EgressRule"))
    match = Match("", (exactly(r.SERVICE_BOUND, 1),))
    yield Flow("Egress", p.SERVICE_BLOCKS, match, asked, "isolated pods, also by the cluster IP")
    for prefix, identity in clauses.service_peers:
        action = SetField(r.EGRESS_SERVICE_PEER, identity.number if identity else 0)
        match = of_addresses(f.CT_DST, prefix, _OPENED)
        yield Flow("EgressServicePeer", p.PEER + prefix.length, match, (action,), _peer_note(identity))


def _peer_note(identity: Identity | None) -> str:
    return f"peer in {' and '.join(identity.sets)}" if identity else "peer in no set"


def _rule_flows(side: _Side, clauses: Clauses, families: tuple[int, ...]) -> Iterator[Flow]:
    table = f"{side.name}Rule"
    plain: dict[SubjectClass, list[RuleClauses]] = defaultdict(list)
    merged: dict[Match, list[tuple[Conjunction, RuleRef]]] = defaultdict(list)
    notes: dict[Match, str] = {}
    for rule in clauses.rules:
        alternatives = _alternatives(side, rule, families)
        if len(alternatives) == 1:
            for subject in rule.subjects:
                plain[subject].append(rule)
            continue
        for position, choices in enumerate(alternatives, start=1):
            for match, note in choices:
                merged[match].append((Conjunction(rule.number, position, len(alternatives)), rule.ref))
                notes[match] = note
        match = Match("", (exactly(f.CONJ_ID, rule.number),))
        yield Flow(table, p.RULE_CLAUSE, match, _admit(side, rule), f"rule {rule.key}", (rule.ref,), rule.number)
    for subject, rules in plain.items():
        note, refs = _subject_note(subject), tuple(rule.ref for rule in rules)
        match = _subject_match(side, subject)
        yield Flow(table, p.RULE_PLAIN, match, _admit(side, rules[0]), note, refs, rules[0].number)
    for match, clause_of in merged.items():
        conjunctions, refs = tuple(sorted({c for c, _ in clause_of})), tuple(sorted({ref for _, ref in clause_of}))
        yield Flow(table, p.RULE_CLAUSE, match, conjunctions, notes[match], refs)
    for subject in clauses.subjects:
        yield Flow(table, p.RULE_DROP, _subject_match(side, subject), (), _subject_note(subject))


def _admit(side: _Side, rule: RuleClauses) -> tuple[SetField, Goto]:
    return SetField(side.rule, rule.number), Goto(side.after)


def _alternatives(side: _Side, rule: RuleClauses, families: tuple[int, ...]) -> list[list[tuple[Match, str]]]:
    """The clauses of a rule: for each, the matches of which one must hold, with what they are of."""
    clauses = [[(_subject_match(side, subject), _subject_note(subject)) for subject in rule.subjects]]
    peer_of = r.EGRESS_SERVICE_PEER if rule.service else side.peer
    if rule.identities is not None:
        clauses.append(
            [(Match("", (exactly(peer_of, peer.number),)), _peer_note(peer)) for peer in rule.identities],
        )
    if rule.ports is not None and rule.service:
        clauses.append([(_opened_port(mask), "ports of the cluster IP") for mask in rule.ports])
    elif rule.ports is not None:
        clauses.append([(match, "ports") for mask in rule.ports for match in _port_matches(mask, families)])
    return clauses


def _subject_match(side: _Side, subject: SubjectClass) -> Match:
    return Match("", (exactly(side.subject, subject.number),))


def _subject_note(subject: SubjectClass) -> str:
    return f"subject {', '.join(subject.pods)}"


def _port_matches(ports: PortMask, families: tuple[int, ...]) -> Iterator[Match]:
    terms = (Term(f.PORT_DST, ports.value, ports.mask),) if ports.mask else ()
    for version in families:
        yield Match(f.PROTOCOL_KIND[version, ports.protocol], terms)


def _opened_port(ports: PortMask) -> Match:
    """A port that the connection was opened to, before it was translated."""
    terms = (Term(f.CT_TP_DST, ports.value, ports.mask),) if ports.mask else ()
    return Match("", (_OPENED, exactly(f.CT_NW_PROTO, f.IP_PROTO[ports.protocol]), *terms))
