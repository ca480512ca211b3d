"""Sets of whole numbers (addresses, ports) as ranges, and the cells into which several sets cut all numbers."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ovsnp.model.address import Prefix


class Range(NamedTuple):
    """The numbers from ``first`` to ``last``, both included."""

    first: int
    last: int


def of_prefix(prefix: Prefix) -> Range:
    """The addresses of a block, as numbers."""
    return Range(prefix.value, prefix.value | ((1 << (prefix.width - prefix.length)) - 1))


def without(whole: Range, holes: Iterable[Range]) -> list[Range]:
    """A range without some holes, as ranges in order; holes may overlap, nest and reach beyond the range."""
    left, first = [], whole.first
    for hole in sorted(holes):
        if hole.first > whole.last:
            break
        if hole.first > first:
            left.append(Range(first, hole.first - 1))
        first = max(first, hole.last + 1)
    return [*left, Range(first, whole.last)] if first <= whole.last else left


def union(ranges: Iterable[Range]) -> list[Range]:
    """The same numbers in the fewest ranges, in order."""
    merged: list[Range] = []
    for run in sorted(ranges):
        if merged and run.first <= merged[-1].last + 1:
            merged[-1] = Range(merged[-1].first, max(merged[-1].last, run.last))
        else:
            merged.append(run)
    return merged


def cells(last: int, sets: Sequence[Iterable[Range]]) -> list[tuple[Range, int]]:
    """Cut 0 to ``last`` into the longest runs of numbers that are in the same sets.

    Returns each run with the sets that hold it, as bits: bit 0 is the first set. The ranges of one set must not
    overlap.
    """
    changes: dict[int, int] = defaultdict(int)
    for index, ranges in enumerate(sets):
        for run in ranges:
            changes[run.first] ^= 1 << index
            changes[run.last + 1] ^= 1 << index
    found, first, member = [], 0, 0
    for number in sorted(number for number, bits in changes.items() if bits and number <= last):
        if number > first:
            found.append((Range(first, number - 1), member))
        member ^= changes[number]
        first = number
    return [*found, (Range(first, last), member)]
