"""Puts sets of traffic into words: ranges of ports, by protocol."""

from collections.abc import Sequence

import msgspec

from ovsnp.analysis.wording.ports import range_words
from ovsnp.model.ports import Protocol
from ovsnp.oracle.classes import TrafficClass
from ovsnp.oracle.ranges import Range, union

_LAST = 65535


class TrafficRange(msgspec.Struct, frozen=True, order=True):
    """Ports of a protocol, first and last included; a protocol of None is all traffic without ports, such as ICMP."""

    protocol: Protocol | None
    first: int = 0
    last: int = _LAST

    def __str__(self) -> str:
        if self.protocol is None:
            return "icmp"
        if (self.first, self.last) == (0, _LAST):
            return self.protocol.lower()
        return range_words(self.protocol, max(self.first, 1), self.last)


class TrafficTerms(msgspec.Struct, frozen=True):
    """The traffic of any of the ranges; with ``but``, all other traffic (without ranges: all traffic)."""

    ranges: tuple[TrafficRange, ...]
    but: bool = False

    def __str__(self) -> str:
        words = ", ".join(map(str, self.ranges))
        if not self.but:
            return words
        return f"all but {words}" if words else "all traffic"


def name_traffic(classes: Sequence[TrafficClass], traffic: int) -> TrafficTerms:
    """The words for traffic classes, which are given as bits."""
    meant = _ranges(classes, traffic)
    others = _ranges(classes, ~traffic)
    return TrafficTerms(others, but=True) if len(others) < len(meant) else TrafficTerms(meant)


def _ranges(classes: Sequence[TrafficClass], traffic: int) -> tuple[TrafficRange, ...]:
    found: dict[Protocol | None, list[Range]] = {}
    for each in classes:
        if traffic >> each.number & 1:
            found.setdefault(each.protocol, []).extend(each.ranges)
    return tuple(
        each
        for protocol, ranges in found.items()
        for each in ([TrafficRange(protocol, *run) for run in union(ranges)] if protocol else [TrafficRange(None)])
        if each.last
    )
