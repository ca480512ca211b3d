"""Sets of numbers as ranges."""

from itertools import pairwise
from random import Random

from ovsnp.model.address import parse_prefix
from ovsnp.oracle.ranges import Range, cells, of_prefix, union, without

LAST = 63


def _numbers(ranges: list[Range]) -> set[int]:
    return {number for run in ranges for number in range(run.first, run.last + 1)}


def _ranges(random: Random, count: int) -> list[Range]:
    return [Range(*sorted((random.randint(0, LAST), random.randint(0, LAST)))) for _ in range(count)]


def test_a_block_is_its_addresses() -> None:
    assert of_prefix(parse_prefix("10.0.0.0/8")) == Range(10 << 24, (11 << 24) - 1)


def test_what_is_left_without_holes() -> None:
    random = Random(1)
    for _ in range(500):
        whole, holes = _ranges(random, 1)[0], _ranges(random, random.randint(0, 4))
        left = without(whole, holes)
        assert _numbers(left) == _numbers([whole]) - _numbers(holes)
        assert left == union(left)


def test_runs_are_the_longest_in_the_same_sets() -> None:
    random = Random(2)
    for _ in range(500):
        sets = [union(_ranges(random, random.randint(0, 3))) for _ in range(3)]
        found = cells(LAST, sets)
        assert [number for run, _ in found for number in range(run.first, run.last + 1)] == [*range(LAST + 1)]
        for run, bits in found:
            for number in range(run.first, run.last + 1):
                assert [number in _numbers(each) for each in sets] == [bool(bits >> index & 1) for index in range(3)]
        assert all(before != after for (_, before), (_, after) in pairwise(found))
