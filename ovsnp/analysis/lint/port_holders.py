"""Finds the ports that hold all of others: entries of one rule, and rules among many."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property

from ovsnp.analysis.lint.covers import port_range
from ovsnp.model.ports import PortEntry, Protocol


class PortHolders:
    """The entries of a rule's ``ports``; of equal entries the first counts."""

    def __init__(self, entries: Sequence[PortEntry]) -> None:
        self._names: dict[PortEntry, int] = {}
        ranges: dict[Protocol, list[tuple[int, int, int]]] = {}
        for place, entry in enumerate(entries):
            first, last = port_range(entry)
            if isinstance(entry.port, str):
                self._names.setdefault(entry, place)
            else:
                ranges.setdefault(entry.protocol, []).append((first, -last, place))
        self._widest = {protocol: _widest(found) for protocol, found in ranges.items()}

    def of(self, narrow: PortEntry) -> int | None:
        """The place of the widest entry that holds all of another one; None if there is none."""
        first, last = port_range(narrow)
        widest = self._widest.get(narrow.protocol, ())
        before = bisect_right(widest, first, key=lambda each: each[0])
        if before and widest[before - 1][1] >= last:
            return widest[before - 1][2]
        return self._names.get(narrow)


def _widest(ranges: list[tuple[int, int, int]]) -> Sequence[tuple[int, int, int]]:
    """The ranges that are inside no other, as first number, last number and place."""
    found: list[tuple[int, int, int]] = []
    for first, negative, place in sorted(ranges):
        if not found or -negative > found[-1][1]:
            found.append((first, -negative, place))
    return found


class PortsInOrder:
    """The ports of rules (at least one rule), each with the rule's place, in order.

    The rules are divided into halves of halves: if no rule of a half holds some entry, the search leaves out this half.
    """

    def __init__(self, ports: Sequence[tuple[int, Sequence[PortEntry]]]) -> None:
        self._ports = ports
        self._alike = all(entries == ports[0][1] for _, entries in ports)
        # A rule without ports holds all ports of every protocol.
        self._all_ports = any(not entries for _, entries in ports)

    def hold(self, narrow: Sequence[PortEntry]) -> Iterator[int]:
        """The places of the rules whose ports hold all of these, in order."""
        if not self._may_hold(narrow):
            return
        if self._alike:
            yield from (place for place, _ in self._ports)
            return
        for half in self._halves:
            yield from half.hold(narrow)

    def _may_hold(self, narrow: Sequence[PortEntry]) -> bool:
        """True if some rule holds each entry, though perhaps no rule holds all of them."""
        return self._all_ports or (bool(narrow) and all(self._holders.of(each) is not None for each in narrow))

    @cached_property
    def _holders(self) -> PortHolders:
        ports = self._ports[:1] if self._alike else self._ports
        return PortHolders([entry for _, entries in ports for entry in entries])

    @cached_property
    def _halves(self) -> tuple["PortsInOrder", "PortsInOrder"]:
        middle = len(self._ports) // 2
        return PortsInOrder(self._ports[:middle]), PortsInOrder(self._ports[middle:])
