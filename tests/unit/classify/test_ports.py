"""Port ranges as masks: exactly the ports, with the fewest possible masks."""

from functools import cache
from random import Random

import pytest

from ovsnp.classify.ports import masks
from ovsnp.ir.clauses import PortMask
from ovsnp.ir.ruleset import PortRange
from ovsnp.model.ports import Protocol

TCP, UDP, SCTP = Protocol


def covered(found: tuple[PortMask, ...], protocol: Protocol) -> list[int]:
    """Each port that the masks of a protocol match, once for each matching mask."""
    mine = [(mask.value, mask.mask) for mask in found if mask.protocol is protocol]
    return sorted(port for value, mask in mine for port in _matching(value, mask))


def _matching(value: int, mask: int) -> list[int]:
    free = 65535 ^ mask
    ports, part = [], free
    while True:
        ports.append(value | part)
        if not part:
            return ports
        part = (part - 1) & free


@cache
def fewest(first: int, last: int, low: int, high: int) -> int:
    """The number of aligned blocks of ports that make up a range, by halving the range from low to high."""
    if first > high or last < low:
        return 0
    if first <= low and high <= last:
        return 1
    middle = (low + high) // 2
    return fewest(first, last, low, middle) + fewest(first, last, middle + 1, high)


def test_single_port_is_one_exact_mask() -> None:
    assert masks([PortRange(TCP, 80, 80)]) == (PortMask(TCP, 80, 65535),)


@pytest.mark.parametrize("protocol", Protocol)
def test_whole_protocol_is_one_empty_mask(protocol: Protocol) -> None:
    assert masks([PortRange(protocol)]) == (PortMask(protocol, 0, 0),)


def test_1_to_65535_takes_16_masks() -> None:
    found = masks([PortRange(TCP, 1, 65535)])
    assert len(found) == 16
    assert covered(found, TCP) == list(range(1, 65536))


@pytest.mark.parametrize(
    ("first", "last", "count"),
    [(0, 65534, 16), (1, 65534, 30), (1024, 65535, 6), (1, 1023, 10), (8000, 8999, 6), (80, 81, 1), (81, 82, 2)],
)
def test_well_known_ranges_take_as_many_masks_as_they_must(first: int, last: int, count: int) -> None:
    assert len(masks([PortRange(UDP, first, last)])) == count


@pytest.mark.parametrize("seed", range(60))
def test_random_range_is_covered_exactly_by_the_fewest_prefixes(seed: int) -> None:
    random = Random(seed)
    first = random.randrange(65536)
    last = min(65535, first + random.choice((0, 1, 7, 100, 4096, 65535)))
    found = masks([PortRange(TCP, first, last)])
    assert covered(found, TCP) == list(range(first, last + 1))
    assert len(found) == fewest(first, last, 0, 65535)


@pytest.mark.parametrize("seed", range(40))
def test_random_ranges_together_cover_each_port_once(seed: int) -> None:
    random = Random(seed)
    ranges = []
    for _ in range(random.randint(2, 6)):
        first = random.choice((1, 80, 443, 8000, random.randrange(1, 65536)))
        ranges.append(PortRange(random.choice((TCP, UDP)), first, min(65535, first + random.choice((0, 1, 79, 900)))))
    found = masks(ranges)
    for protocol in Protocol:
        wanted = {port for part in ranges if part.protocol is protocol for port in range(part.first, part.last + 1)}
        assert covered(found, protocol) == sorted(wanted)
    assert found == masks(random.sample(ranges, len(ranges)))


def test_every_range_at_the_edges_of_small_blocks_is_covered_exactly() -> None:
    for first in range(0, 20):
        for last in range(first, 20):
            found = masks([PortRange(TCP, first, last)])
            assert covered(found, TCP) == list(range(first, last + 1))
            assert len(found) == fewest(first, last, 0, 65535)


def test_ranges_that_touch_are_merged() -> None:
    assert masks([PortRange(TCP, 82, 83), PortRange(TCP, 80, 81)]) == (PortMask(TCP, 80, 65532),)
    assert masks([PortRange(TCP, 80, 90), PortRange(TCP, 1, 65535), PortRange(TCP)]) == (PortMask(TCP, 0, 0),)


def test_protocols_are_kept_apart() -> None:
    found = masks([PortRange(UDP, 53, 53), PortRange(TCP, 53, 53)])
    assert set(found) == {PortMask(TCP, 53, 65535), PortMask(UDP, 53, 65535)}
    assert covered(found, SCTP) == []
