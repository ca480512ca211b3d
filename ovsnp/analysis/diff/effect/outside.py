"""Writes sets of outside addresses as blocks with exceptions, with the fewest prefixes."""

from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

from ovsnp.model.address import Prefix
from ovsnp.model.policy import IPBlock
from ovsnp.oracle.ranges import Range, of_prefix


class _Way(NamedTuple):
    """Prefixes, each with whether it is meant; the longest one of an address decides. ``cost`` is their number."""

    cost: int
    prefixes: tuple[tuple[Prefix, bool], ...] = ()

    def with_prefix(self, prefix: Prefix, meant: bool) -> "_Way":
        return _Way(self.cost + 1, ((prefix, meant), *self.prefixes))

    def beside(self, other: "_Way") -> "_Way":
        return _Way(self.cost + other.cost, self.prefixes + other.prefixes)


class OutsideWords:
    """Writes sets of the ends outside as blocks; ``ranges`` are the addresses of each end, by its number."""

    def __init__(self, version: int, ranges: Mapping[int, Sequence[Range]]) -> None:
        self.numbers = frozenset(ranges)
        self._whole = Prefix(version, 0, 0)
        runs = sorted((*run, number) for number, those in ranges.items() for run in those)
        self._firsts, self._lasts, self._owners = ([run[part] for run in runs] for part in range(3))

    def blocks(self, meant: Collection[int]) -> tuple[IPBlock, ...]:
        """Blocks that hold all addresses of these ends and of no others; the rest may be in or out, as is shortest.

        Every address counts by the longest prefix that it is in, as in a routing table; the fewest such prefixes are
        found from the smallest blocks up (Draves and others, "Constructing Optimal IP Routing Tables", 1999).
        """
        counts = [0, *accumulate(owner in meant for owner in self._owners)]
        _, (_, prefixes) = self._ways(self._whole, counts, 0, len(self._owners))
        return _as_blocks(prefixes)

    def _ways(self, prefix: Prefix, counts: Sequence[int], first: int, end: int) -> tuple[_Way, _Way]:
        """The shortest ways within a prefix: if the addresses around it are meant, and if they are not.

        ``first`` and ``end`` limit the ranges that reach into it; ``counts`` are the ranges before each that are meant.
        """
        meant = counts[end] - counts[first]
        if first == end:
            return _Way(0), _Way(0)
        if meant == end - first:
            return _Way(0), _Way(0).with_prefix(prefix, True)
        if not meant:
            return _Way(0).with_prefix(prefix, False), _Way(0)
        halves = [self._ways(half, counts, *self._within(half, first, end)) for half in _halves(prefix)]
        inside, without = (halves[0][side].beside(halves[1][side]) for side in (0, 1))
        return (
            min(inside, without.with_prefix(prefix, False), key=lambda way: way.cost),
            min(without, inside.with_prefix(prefix, True), key=lambda way: way.cost),
        )

    def _within(self, prefix: Prefix, first: int, end: int) -> tuple[int, int]:
        """The part of the ranges, which do not overlap, that reaches into a prefix."""
        run = of_prefix(prefix)
        return bisect_left(self._lasts, run.first, first, end), bisect_left(self._firsts, run.last + 1, first, end)


def _halves(prefix: Prefix) -> tuple[Prefix, Prefix]:
    length = prefix.length + 1
    return (
        Prefix(prefix.family, prefix.value, length),
        Prefix(prefix.family, prefix.value | 1 << (prefix.width - length), length),
    )


def _as_blocks(prefixes: Sequence[tuple[Prefix, bool]]) -> tuple[IPBlock, ...]:
    """Each prefix that is meant, without those just below it that are not."""
    meant = [prefix for prefix, yes in prefixes if yes]
    excepts: dict[Prefix, list[Prefix]] = {prefix: [] for prefix in meant}
    for prefix, yes in prefixes:
        if not yes:
            around = [each for each in meant if each.contains(prefix)]
            excepts[max(around, key=lambda each: each.length)].append(prefix)
    return tuple(IPBlock(prefix, tuple(sorted(excepts[prefix]))) for prefix in sorted(meant))
