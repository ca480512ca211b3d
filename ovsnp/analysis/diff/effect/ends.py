"""The ends whose connections are compared: pods and nodes that are in both clusters, and addresses outside.

A pod is the same pod where it keeps its name and address. Other pods come or go, and are reported as such.
"""

from collections.abc import Sequence

import msgspec

from ovsnp.model.address import FAMILIES, Address
from ovsnp.model.unassigned import is_placeholder
from ovsnp.oracle import NodeEnd, OutsideEnd, PodEnd
from ovsnp.oracle.classes import Classes, EndClass
from ovsnp.oracle.indexed_oracle import IndexedOracle
from ovsnp.oracle.judge import begins_on, exemption
from ovsnp.oracle.ranges import Range


class ComparedEnd(msgspec.Struct, frozen=True, eq=False):
    """Addresses of one family that no policy tells apart, before or after.

    Either ``held`` are addresses of pods or of nodes, or ``ranges`` are addresses outside, as numbers.
    """

    number: int
    representative: Address
    held: tuple[Address, ...]
    ranges: tuple[Range, ...]


class Family(msgspec.Struct, frozen=True, eq=False):
    """The ends of one address family, in the order of their representatives; ``number`` is an end's index.

    ``of_address`` gives the end of an address that a pod or node has, ``of_class`` the end outside of a class number.
    """

    version: int
    ends: tuple[ComparedEnd, ...]
    of_address: dict[Address, int]
    of_class: dict[int, int]


class Ends:
    """The ends of both clusters, by family; without ``strict_nodes`` no policy is about nodes, so they are left out."""

    def __init__(self, classes: Classes, *, strict_nodes: bool) -> None:
        self.old, self.new = classes.clusters
        self.strict_nodes = strict_nodes
        self._classes = classes
        self._members: dict[ComparedEnd, Sequence[Address]] = {}
        self.families = tuple(self._family(version, classes) for version in FAMILIES)

    def _family(self, version: int, classes: Classes) -> Family:
        found = {each.number: self._compared(each) for each in classes.ends if each.family == version}
        ordered = sorted((each, number) for number, each in found.items() if each is not None)
        ends = tuple(ComparedEnd(number, *each) for number, (each, _) in enumerate(ordered))
        of_address = {address: each.number for each in ends for address in each.held}
        of_class = {each: number for number, (_, each) in enumerate(ordered) if ends[number].ranges}
        return Family(version, ends, of_address, of_class)

    def number(self, of: Family, address: Address) -> int | None:
        """The number of the end that an address is in; None if the address is not compared."""
        if address in of.of_address:
            return of.of_address[address]
        if any(not isinstance(each.who(address), OutsideEnd) for each in (self.old, self.new)):
            return None
        return of.of_class.get(self._classes.of(address).number)

    def _compared(self, each: EndClass) -> tuple[Address, tuple[Address, ...], tuple[Range, ...]] | None:
        """The part of a class that is compared, if any: representative, addresses held, ranges outside."""
        if each.held:
            held = tuple(address for address in each.held if self._stays(address))
            return (held[0], held, ()) if held else None
        outside = OutsideEnd(each.representative)
        nobody = any(each.is_group(outside) for each in (self.old, self.new))
        return None if each.vacant or nobody else (each.representative, (), each.ranges)

    def _stays(self, address: Address) -> bool:
        match self.old.who(address), self.new.who(address):
            case PodEnd(pod=before), PodEnd(pod=after):
                return before.key == after.key
            case NodeEnd(node=before), NodeEnd(node=after):
                return self.strict_nodes and before.name == after.name
            case _:
                return False

    def pair(self, source: ComparedEnd, destination: ComparedEnd) -> tuple[Address, Address] | None:
        """Two members between which policies decide; None if there are none."""
        for near in self._some(source):
            for far in self._some(destination):
                exempt = any(self._exempt(each, near, far) for each in (self.old, self.new))
                if (near != far or is_placeholder(near)) and not exempt:
                    return near, far
        return None

    def _some(self, end: ComparedEnd) -> Sequence[Address]:
        """A few members, of different nodes where there are such."""
        if end not in self._members:
            self._members[end] = _some(end, self.new)
        return self._members[end]

    def _exempt(self, oracle: IndexedOracle, near: Address, far: Address) -> bool:
        return exemption(oracle.who(near), oracle.who(far), strict_nodes=self.strict_nodes) is not None


def _some(end: ComparedEnd, oracle: IndexedOracle) -> Sequence[Address]:
    if not end.held:
        return [end.representative]
    nodes: dict[str | None, Address] = {}
    for address in end.held:
        nodes.setdefault(begins_on(oracle.who(address), None), address)
    return list(dict.fromkeys([*list(nodes.values())[:2], *end.held[:2]]))
