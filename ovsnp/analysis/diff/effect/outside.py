"""Writes sets of outside addresses as blocks with exceptions, with the fewest prefixes."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ovsnp.model.address import Prefix
from ovsnp.model.policy import IPBlock
from ovsnp.oracle.ranges import Range, of_prefix

_WIDTH = {4: 32, 6: 128}


class _Cell(NamedTuple):
    """Addresses that are all in the set, or all outside of it."""

    run: Range
    meant: bool


class _Way(NamedTuple):
    """Prefixes, each with whether it is meant; the longest one of an address decides. ``cost`` is their number."""

    cost: int
    prefixes: tuple[tuple[Prefix, bool], ...] = ()

    def with_prefix(self, prefix: Prefix, meant: bool) -> "_Way":
        return _Way(self.cost + 1, ((prefix, meant), *self.prefixes))

    def beside(self, other: "_Way") -> "_Way":
        return _Way(self.cost + other.cost, self.prefixes + other.prefixes)


def outside_blocks(version: int, meant: Iterable[Range], others: Iterable[Range]) -> tuple[IPBlock, ...]:
    """Blocks that hold all addresses of ``meant`` and none of ``others``; the rest may be in or out, as is shortest.

    Every address counts by the longest prefix that it is in, as in a routing table; the fewest such prefixes are
    found from the smallest blocks up (Draves and others, "Constructing Optimal IP Routing Tables", 1999).
    """
    cells = sorted([*(_Cell(run, True) for run in meant), *(_Cell(run, False) for run in others)])
    _, (_, prefixes) = _ways(Prefix(version, 0, 0), cells)
    return _as_blocks(prefixes)


def _ways(prefix: Prefix, cells: Sequence[_Cell]) -> tuple[_Way, _Way]:
    """The shortest ways within a prefix: if the addresses around it are meant, and if they are not."""
    kinds = {cell.meant for cell in cells}
    if not kinds:
        return _Way(0), _Way(0)
    if kinds == {True}:
        return _Way(0), _Way(0).with_prefix(prefix, True)
    if kinds == {False}:
        return _Way(0).with_prefix(prefix, False), _Way(0)
    halves = [_ways(half, _within(half, cells)) for half in _halves(prefix)]
    inside, without = (halves[0][side].beside(halves[1][side]) for side in (0, 1))
    return (
        min(inside, without.with_prefix(prefix, False), key=lambda way: way.cost),
        min(without, inside.with_prefix(prefix, True), key=lambda way: way.cost),
    )


def _halves(prefix: Prefix) -> tuple[Prefix, Prefix]:
    length = prefix.length + 1
    return (
        Prefix(prefix.family, prefix.value, length),
        Prefix(prefix.family, prefix.value | 1 << (prefix.width - length), length),
    )


def _within(prefix: Prefix, cells: Sequence[_Cell]) -> Sequence[_Cell]:
    """The cells, which are in order and do not overlap, that reach into a prefix."""
    run = of_prefix(prefix)
    first = bisect_left(cells, run.first, key=lambda cell: cell.run.last)
    last = bisect_left(cells, run.last + 1, key=lambda cell: cell.run.first)
    return cells[first:last]


def _as_blocks(prefixes: Sequence[tuple[Prefix, bool]]) -> tuple[IPBlock, ...]:
    """Each prefix that is meant, without those just below it that are not."""
    meant = [prefix for prefix, yes in prefixes if yes]
    excepts: dict[Prefix, list[Prefix]] = {prefix: [] for prefix in meant}
    for prefix, yes in prefixes:
        if not yes:
            around = [each for each in meant if each.contains(prefix)]
            excepts[max(around, key=lambda each: each.length)].append(prefix)
    return tuple(IPBlock(prefix, tuple(sorted(excepts[prefix]))) for prefix in sorted(meant))
