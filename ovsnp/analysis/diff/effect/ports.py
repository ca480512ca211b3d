"""Puts sets of traffic into words: ranges of ports, by protocol."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from ovsnp.analysis.verification.simulator.space import bits_of
from ovsnp.analysis.wording.ports import range_words
from ovsnp.model.ports import Protocol
from ovsnp.oracle.classes import TrafficClass
from ovsnp.oracle.ranges import Range, union, without

_LAST = 65535

_Ranges = Mapping[Protocol | None, Sequence[Range]]
"""The ports of each protocol; no ranges for all traffic without ports."""


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


class TrafficNames:
    """Puts sets of some traffic classes into words; the number of a class is its index."""

    def __init__(self, classes: Sequence[TrafficClass]) -> None:
        self._classes = classes
        self._whole = _ranges(classes)

    def classes_of(self, traffic: int) -> list[TrafficClass]:
        """The classes that bits mean."""
        return [self._classes[number] for number in bits_of(traffic)]

    def of(self, traffic: int) -> TrafficTerms:
        """The words for traffic classes, which are given as bits."""
        ranges = _ranges(self.classes_of(traffic))
        meant, others = _terms(ranges), _terms(self._without(ranges))
        return TrafficTerms(others, but=True) if len(others) < len(meant) else TrafficTerms(meant)

    def _without(self, ranges: _Ranges) -> _Ranges:
        """The ranges of all other classes."""
        return {
            protocol: [left for run in whole for left in without(run, ranges.get(protocol, ()))]
            for protocol, whole in self._whole.items()
            if protocol or protocol not in ranges
        }


def _ranges(classes: Iterable[TrafficClass]) -> _Ranges:
    found: dict[Protocol | None, list[Range]] = {}
    for each in classes:
        found.setdefault(each.protocol, []).extend(each.ranges)
    return {protocol: union(ranges) for protocol, ranges in found.items()}


def _terms(ranges: _Ranges) -> tuple[TrafficRange, ...]:
    return tuple(
        each
        for protocol, runs in ranges.items()
        for each in ([TrafficRange(protocol, *run) for run in runs] if protocol else [TrafficRange(None)])
        if each.last
    )
