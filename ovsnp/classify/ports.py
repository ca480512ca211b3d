"""Turns port ranges into bit masks."""

from collections.abc import Iterable, Iterator

from ovsnp.ir.clauses import PortMask
from ovsnp.ir.ruleset import PortRange
from ovsnp.model.ports import Protocol

_LAST = 65535


def masks(ranges: Iterable[PortRange]) -> tuple[PortMask, ...]:
    """The fewest masks of leading bits (prefixes) that match exactly these ports, sorted."""
    return tuple(sorted(mask for merged in _merge(ranges) for mask in _split(merged)))


def _merge(ranges: Iterable[PortRange]) -> list[PortRange]:
    merged: list[PortRange] = []
    for following in sorted(ranges):
        last = merged[-1] if merged else None
        if last and last.protocol == following.protocol and following.first <= last.last + 1:
            merged[-1] = PortRange(last.protocol, last.first, max(last.last, following.last))
        else:
            merged.append(following)
    return merged


def _split(ports: PortRange) -> Iterator[PortMask]:
    first, protocol = ports.first, Protocol(ports.protocol)
    while first <= ports.last:
        size = first & -first or _LAST + 1
        while first + size - 1 > ports.last:
            size //= 2
        yield PortMask(protocol, first, _LAST + 1 - size)
        first += size
