"""Finds the pairs of ends that gain or lose traffic."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from ovsnp.model.policy import Direction
from ovsnp.oracle.relation import Relation

Cells = Mapping[int, Mapping[int, int]]
"""By source, then by destination: traffic as bits, never 0."""


class ChangedPairs(msgspec.Struct, frozen=True):
    """The traffic that pairs of ends of one family gain and lose; a pod with itself is a pair, as policies judge it."""

    gained: Cells
    lost: Cells


def changed(old: Relation, new: Relation, asked: int, alive: Callable[[], None]) -> ChangedPairs:
    """Compare all pairs; traffic that is not in ``asked`` (bits) does not count.

    ``alive`` is called for each source; what it raises ends the comparison.
    """
    rows = _Rows(old, new)
    # A large change has millions of cells: they share the objects of their numbers.
    traffics = dict[int, int]()
    gained: dict[int, dict[int, int]] = {}
    lost: dict[int, dict[int, int]] = {}
    for source in rows.ends:
        alive()
        for destination, was, now in rows.compared(source):
            if was != now:
                if more := now & ~was & asked:
                    gained.setdefault(source, {})[destination] = traffics.setdefault(more, more)
                if less := was & ~now & asked:
                    lost.setdefault(source, {})[destination] = traffics.setdefault(less, less)
    return ChangedPairs(gained, lost)


Row = Sequence[int]
"""The traffic that the policies of one end allow with every end, as bits."""


class _Rows:
    """The rows of ends before and after; only rows that are needed are worked out. ``ends`` are all ends."""

    def __init__(self, old: Relation, new: Relation) -> None:
        self._relations = old, new
        self.ends = [*old.rules.numbers]
        self._known: dict[tuple[Direction, int], tuple[Row, Row]] = {}
        self._written: dict[int, Row] = {}
        self._turned = {
            direction: [near for near in self.ends if new.differs(old, direction, near)] for direction in Direction
        }
        self._sending = frozenset(self._turned[Direction.EGRESS])

    def compared(self, source: int) -> Iterator[tuple[int, int, int]]:
        """Destinations with which the allowed traffic of a source may differ, with the traffic before and after."""
        ends = self.ends if source in self._sending else self._turned[Direction.INGRESS]
        received = [(end, *self._at(Direction.INGRESS, end)) for end in ends]
        if source in self._sending:
            was_sent, sent = self._at(Direction.EGRESS, source)
            for end, before, after in received:
                yield end, was_sent[end] & before[source], sent[end] & after[source]
            return
        for end, before, after in received:
            if before[source] != after[source]:
                allowed, _ = self._at(Direction.EGRESS, source)
                yield end, allowed[end] & before[source], allowed[end] & after[source]

    def _at(self, direction: Direction, near: int) -> tuple[Row, Row]:
        key = direction, near
        if key not in self._known:
            before, after = (self._row(each, direction, near) for each in self._relations)
            self._known[key] = before, after
        return self._known[key]

    def _row(self, relation: Relation, direction: Direction, near: int) -> Row:
        """The row of an end; ends with the same `ByPeer` share it."""
        side = relation.side(direction, near)
        if id(side) not in self._written:
            self._written[id(side)] = row = [side.others] * len(relation.rules.numbers)
            for far, traffic in side.listed.items():
                row[far] = traffic
        return self._written[id(side)]
