"""The packets that each rule has admitted, and the packets that policies have dropped: from the counters of flows."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

import msgspec

from ovsnp.agent.traffic.flow_names import RULE_TABLES, FlowNames, Numbered
from ovsnp.document import Count
from ovsnp.flows.match import Match, exactly
from ovsnp.model.policy import Direction
from ovsnp.pipeline import priorities as p
from ovsnp.pipeline import registers as r
from ovsnp.pipeline.cookies import BASE, MASK, rule_of
from ovsnp.pipeline.tables import BY_NAME
from ovsnp.switch.location import Location
from ovsnp.switch.openflow.connection import OpenFlow
from ovsnp.switch.openflow.match import encode_match
from ovsnp.switch.openflow.tables import FlowEntry, read_flows

_SUBJECTS = {Direction.EGRESS: r.EGRESS_SUBJECT, Direction.INGRESS: r.INGRESS_SUBJECT}


class RuleCount(msgspec.Struct, frozen=True):
    """The packets that a rule has admitted; policy judges a connection's packets until the first answer."""

    rule: str
    packets: Count


class DropCount(msgspec.Struct, frozen=True):
    """The packets to (ingress) or from (egress) some pods that no rule has admitted; the same rules select the pods."""

    direction: Literal["egress", "ingress"]
    pods: Sequence[str]
    packets: Count


class CountsDocument(msgspec.Struct, frozen=True):
    """The counters at one moment; ``seconds`` is a clock that only goes forward."""

    seconds: float
    admitted: Sequence[RuleCount]
    dropped: Sequence[DropCount]


class FlowCount(NamedTuple):
    """The packets that a flow has admitted by a rule, or dropped of a subject; ``match`` tells the flows apart."""

    of: Numbered
    admits: bool
    match: bytes
    packets: int


class FlowCounts:
    """Reads the counters of a bridge; may be called from any thread."""

    def __init__(self, location: Location, bridge: str, names: FlowNames) -> None:
        self._location, self._bridge, self._names = location, bridge, names

    def read(self) -> CountsDocument:
        """The counters now; raises SwitchError."""
        admitted: Counter[str] = Counter()
        dropped: Counter[Numbered] = Counter()
        subjects = self._names.subjects()
        for flow in self.flows(subjects):
            if flow.admits:
                admitted[self._rule(flow.of)] += flow.packets
            else:
                dropped[flow.of] += flow.packets
        return CountsDocument(
            time.monotonic(),
            [RuleCount(rule, packets) for rule, packets in sorted(admitted.items())],
            sorted(
                (DropCount(each.direction.section, subjects[each], packets) for each, packets in dropped.items()),
                key=lambda count: (count.pods, count.direction),
            ),
        )

    def flows(self, subjects: Iterable[Numbered]) -> Iterator[FlowCount]:
        """The counters of the flows that admit by rules, and of those that drop packets of these subjects.

        Raises SwitchError.
        """
        matches = {(each.direction, _match(each)): each for each in subjects}
        with OpenFlow(self._location, self._bridge) as connection:
            for direction, entry in _entries(connection):
                if number := rule_of(entry.cookie):
                    yield FlowCount(Numbered(direction, number), True, entry.match, entry.packets)
                elif entry.priority == p.RULE_DROP and (subject := matches.get((direction, entry.match))):
                    yield FlowCount(subject, False, entry.match, entry.packets)

    def _rule(self, number: Numbered) -> str:
        rules = self._names.rules(number)
        return ", ".join(map(str, rules)) or f"{number.direction.section} rule {number.number:#010x}"


def _entries(connection: OpenFlow) -> Iterator[tuple[Direction, FlowEntry]]:
    for table, direction in RULE_TABLES.items():
        for entry in read_flows(connection, BY_NAME[table].id, BASE, MASK):
            yield direction, entry


def _match(subject: Numbered) -> bytes:
    """The match of the flow that drops the packets of a subject."""
    return encode_match(Match("", (exactly(_SUBJECTS[subject.direction], subject.number),)))
