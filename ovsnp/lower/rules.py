"""EgressRule, IngressRule: which rule admits a connection, by a conjunction of subject, peer and port.

Clauses of different rules with the same match share one flow, up to `MOST_CLAUSES`.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import NamedTuple

from ovsnp.flows.action import Conjunction, Goto, SetField
from ovsnp.flows.flow import Flow
from ovsnp.flows.match import Match, Term, exactly
from ovsnp.flows.note import FlowNote, Purpose
from ovsnp.flows.units import Unit
from ovsnp.ir.clauses import ClauseChanges, PortMask, RuleClauses, SubjectClass
from ovsnp.ir.ruleset import PeerTable, RuleRef
from ovsnp.lower.denial import denial
from ovsnp.lower.peers import peer_note
from ovsnp.lower.sides import OPENED, PEER, SIDES
from ovsnp.model.options import Options
from ovsnp.model.policy import Direction
from ovsnp.pipeline import fields as f
from ovsnp.pipeline import priorities as p
from ovsnp.pipeline.fields import Field

MOST_CLAUSES = 2048
"""The most clauses of one flow: 16 bytes each, in a message of at most 64 KiB."""

_PORTS = FlowNote(Purpose.PORTS)
_SERVICE_PORTS = FlowNote(Purpose.SERVICE_PORTS)


class _Place(NamedTuple):
    """The priority and match of a flow that rules have a part in."""

    priority: int
    match: Match


class _Part(NamedTuple):
    """A rule's part in a flow: a clause of its conjunction, or the whole rule if it has one clause (None)."""

    number: int
    ref: RuleRef
    conjunction: Conjunction | None
    note: FlowNote


class RuleFlows:
    """The flows of one direction's rules, with the rules that have a part in each flow."""

    def __init__(self, direction: Direction, options: Options) -> None:
        self._side = SIDES[direction]
        self._denial = denial(options, self._side.reason)
        self._families: tuple[int, ...] = ()
        self._rules: dict[str, RuleClauses] = {}
        self._places: dict[str, dict[_Place, _Part]] = {}
        self._parts: dict[_Place, dict[str, _Part]] = defaultdict(dict)

    def update(self, changes: ClauseChanges, families: tuple[int, ...]) -> Iterator[tuple[Unit, tuple[Flow, ...]]]:
        """Take the changes of rules and subjects, and the address families; returns the units that are made again."""
        rules = changes.rules
        if families != self._families:
            self._families = families
            rules = {**self._rules, **rules}
        for name, subject in changes.subjects.items():
            yield (self._side.table, "subject", name), (self._drop(subject),) if subject else ()
        touched: set[_Place] = set()
        for key, rule in rules.items():
            touched |= self._take(key, rule)
            yield (self._side.table, "rule", key), tuple(self._end(rule)) if rule else ()
        for place in touched:
            parts = self._parts[place]
            yield (self._side.table, *place), tuple(self._flows(place, parts)) if parts else ()
            if not parts:
                del self._parts[place]

    def _take(self, key: str, rule: RuleClauses | None) -> set[_Place]:
        """Replace the rule with this key (None: remove it); returns the places where its part has changed."""
        self._rules.pop(key, None)
        before, after = self._places.pop(key, {}), {}
        if rule:
            self._rules[key] = rule
            after = self._places[key] = dict(self._parts_of(rule))
        touched = {place for place in before.keys() | after.keys() if before.get(place) != after.get(place)}
        for place in touched:
            if place in after:
                self._parts[place][key] = after[place]
            else:
                del self._parts[place][key]
        return touched

    def _parts_of(self, rule: RuleClauses) -> Iterator[tuple[_Place, _Part]]:
        clauses = list(self._clauses(rule))
        if len(clauses) == 1:
            for match, note in clauses[0]:
                yield _Place(p.RULE_PLAIN, match), _Part(rule.number, rule.ref, None, note)
            return
        for position, choices in enumerate(clauses, start=1):
            conjunction = Conjunction(rule.number, position, len(clauses))
            for match, note in choices:
                yield _Place(p.RULE_CLAUSE, match), _Part(rule.number, rule.ref, conjunction, note)

    def _clauses(self, rule: RuleClauses) -> Iterator[list[tuple[Match, FlowNote]]]:
        """The clauses of a rule: for each clause, the matches of which one must hold, with their notes."""
        yield [(_holds(self._side.subject, each.number), _subject_note(each)) for each in rule.subjects]
        if rule.identities is not None:
            peer = PEER[rule.table]
            yield [(_holds(peer, each.number), peer_note(each)) for each in rule.identities]
        if rule.ports is not None and rule.table is PeerTable.EGRESS_SERVICE:
            yield [(_opened_port(mask), _SERVICE_PORTS) for mask in rule.ports]
        elif rule.ports is not None:
            yield [(match, _PORTS) for mask in rule.ports for match in _port_matches(mask, self._families)]

    def _flows(self, place: _Place, parts: dict[str, _Part]) -> Iterator[Flow]:
        """The flows of a clause's match, or the flow that admits by the first of the rules with only one clause."""
        if place.priority == p.RULE_CLAUSE:
            yield from self._clause_flows(place, parts.values())
            return
        first, *_ = alike = [parts[key] for key in sorted(parts)]
        refs = tuple(part.ref for part in alike)
        yield Flow(self._side.table, *place, self._admit(first.number), first.note, refs, first.number)

    def _clause_flows(self, place: _Place, parts: Collection[_Part]) -> Iterator[Flow]:
        """One flow, or several if the clauses are too many for one.

        The matches of the further flows look at bits of the rule's register, which are all 0 in this table, and each
        flow at other bits. So a packet meets all of these flows, and Open vSwitch counts the clauses of all of them.
        """
        refs = {part.conjunction: part.ref for part in parts if part.conjunction}
        note, conjunctions = next(iter(parts)).note, sorted(refs)
        for bits, begin in enumerate(range(0, len(conjunctions), MOST_CLAUSES)):
            here = tuple(conjunctions[begin : begin + MOST_CLAUSES])
            match = place.match
            if bits:
                match = Match(match.kind, (*match.terms, Term(self._side.rule, 0, bits)))
            of_rules = tuple(sorted({refs[each] for each in here}))
            yield Flow(self._side.table, place.priority, match, here, note, of_rules)

    def _end(self, rule: RuleClauses) -> Iterator[Flow]:
        """The flow that matches when all clauses of the rule hold; a rule with one clause has none."""
        if rule.identities is not None or rule.ports is not None:
            match, number = Match("", (exactly(f.CONJ_ID, rule.number),)), rule.number
            note = FlowNote(Purpose.RULE, (rule.key,))
            yield Flow(self._side.table, p.RULE_CLAUSE, match, self._admit(number), note, (rule.ref,), number)

    def _drop(self, subject: SubjectClass) -> Flow:
        match = _holds(self._side.subject, subject.number)
        return Flow(self._side.table, p.RULE_DROP, match, self._denial, _subject_note(subject))

    def _admit(self, number: int) -> tuple[SetField, Goto]:
        return SetField(self._side.rule, number), Goto(self._side.after)


@lru_cache(maxsize=10_000)
def _holds(register: Field, number: int) -> Match:
    """The match of a subject or peer; cached because many rules have a part in its flow."""
    return Match("", (exactly(register, number),))


def _subject_note(subject: SubjectClass) -> FlowNote:
    return FlowNote(Purpose.SUBJECT, subject.pods)


@lru_cache(maxsize=10_000)
def _port_matches(ports: PortMask, families: tuple[int, ...]) -> tuple[Match, ...]:
    """The matches of a port, one for each address family; cached because many rules open the same port."""
    terms = (Term(f.PORT_DST, ports.value, ports.mask),) if ports.mask else ()
    return tuple(Match(f.PROTOCOL_KIND[version, ports.protocol], terms) for version in families)


@lru_cache(maxsize=10_000)
def _opened_port(ports: PortMask) -> Match:
    """The match of a port that the connection was opened to, before conntrack translated it."""
    terms = (Term(f.CT_TP_DST, ports.value, ports.mask),) if ports.mask else ()
    return Match("", (OPENED, exactly(f.CT_NW_PROTO, f.IP_PROTO[ports.protocol]), *terms))
