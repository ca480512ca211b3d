"""Finds the pairs of ends that gain or lose traffic."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from ovsnp.model.policy import Direction
from ovsnp.oracle.relation import Relation

Cells = Mapping[int, Mapping[int, int]]
"""By source, then by destination: traffic as bits, never 0."""


class ChangedPairs(msgspec.Struct, frozen=True):
    """The traffic that pairs of ends of one family gain and lose; a pod with itself is a pair, as policies judge it."""

    gained: Cells
    lost: Cells


def changed(old: Relation, new: Relation, asked: int) -> ChangedPairs:
    """Compare all pairs; traffic that is not in ``asked`` (bits) does not count."""
    gained: dict[int, dict[int, int]] = {}
    lost: dict[int, dict[int, int]] = {}
    # A large change has millions of cells: the rows share the objects of their numbers.
    ends, traffics = [*range(len(old.rules.numbers))], dict[int, int]()
    for source, (before, after) in enumerate(zip(_by_source(old), _by_source(new), strict=True)):
        if before == after:
            continue
        for destination, was_out, was_in, out, let_in in zip(ends, *before, *after, strict=True):
            was, now = was_out & was_in, out & let_in
            if was != now:
                if more := now & ~was & asked:
                    gained.setdefault(source, {})[destination] = traffics.setdefault(more, more)
                if less := was & ~now & asked:
                    lost.setdefault(source, {})[destination] = traffics.setdefault(less, less)
    return ChangedPairs(gained, lost)


def _by_source(relation: Relation) -> Iterator[tuple[Sequence[int], Sequence[int]]]:
    """For each source, by destination: the traffic that its egress allows, and what the other's ingress allows."""
    egress, ingress = (_rows(relation, direction) for direction in (Direction.EGRESS, Direction.INGRESS))
    return zip(egress, zip(*ingress, strict=True), strict=True)


def _rows(relation: Relation, direction: Direction) -> Iterator[Sequence[int]]:
    """For each end the traffic that its policies allow with every end; ends with the same `ByPeer` share a row."""
    known: dict[int, list[int]] = {}
    for near in relation.rules.numbers:
        side = relation.side(direction, near)
        if id(side) not in known:
            known[id(side)] = row = [side.others] * len(relation.rules.numbers)
            for far, traffic in side.listed.items():
                row[far] = traffic
        yield known[id(side)]
