"""Equivalence classes: all addresses and all traffic in finitely many classes that no policy tells apart.

Classes follow from policies, labels and blocks alone. Several clusters at once (one before a change and one after) give
classes that are valid in every one of them. The verdict for one pair of members holds for every pair of members to
which the same exemption applies: `Classes.witnesses` gives a pair for each exemption. Classes of outside addresses are
also cut at multicast addresses, to which `judge` delivers nothing, and at pod CIDRs, where a free address has no
holder.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from typing import Protocol as TypingProtocol

import msgspec

from ovsnp.model.address import Address, family, parse_address
from ovsnp.model.cluster import Cluster
from ovsnp.model.ports import ContainerPort, PortEntry, Protocol
from ovsnp.model.unassigned import is_placeholder
from ovsnp.oracle.endpoints import NodeEnd, PodEnd
from ovsnp.oracle.indexed_oracle import IndexedOracle
from ovsnp.oracle.judge import begins_on, exemption
from ovsnp.oracle.multicast import group_prefixes
from ovsnp.oracle.ranges import Range, cells, of_prefix, union, without
from ovsnp.oracle.rulebook import Partition
from ovsnp.oracle.signatures import Signatures, named_ports, used_names
from ovsnp.oracle.traffic import ICMP, Traffic

_WIDTH = {4: 32, 6: 128}
_LAST_PORT = 65535
_EXAMPLES = tuple(map(parse_address, ("203.0.113.1", "198.51.100.1", "192.0.2.1", "8.8.8.8", "2001:db8::1")))
"""Addresses that readers recognise as outside of a cluster: the preferred examples of a class."""


class EndClass(msgspec.Struct, frozen=True):
    """Addresses of one family that no policy tells apart.

    A class has either ``held``, the sorted addresses of pods or nodes, or ``ranges``, ranges of addresses as numbers;
    the addresses that a pod or node holds do not belong to the ranges. ``vacant``: the ranges lie in a pod CIDR.
    """

    number: int
    family: int
    representative: Address
    held: tuple[Address, ...] = ()
    ranges: tuple[Range, ...] = ()
    vacant: bool = False


class TrafficClass(msgspec.Struct, frozen=True):
    """Destination ports of a protocol that no policy tells apart; all protocols without ports are one class."""

    number: int
    protocol: Protocol | None
    ranges: tuple[Range, ...]
    representative: Traffic


class Classes:
    """The classes of one cluster, or of several clusters, in which an address may have different holders."""

    def __init__(self, *clusters: Cluster | IndexedOracle) -> None:
        oracles = tuple(each if isinstance(each, IndexedOracle) else IndexedOracle(each) for each in clusters)
        self._find(oracles, [Signatures(each, each.cluster.policies) for each in oracles])

    def beside(self, other: IndexedOracle) -> "Classes":
        """The classes of this one cluster and of another, whose look-ups `IndexedOracle.with_policies` made of its own.

        They equal ``Classes(cluster, other)``; only the policies of the other cluster that this one lacks are examined.
        """
        (own,) = self.clusters
        known = {id(policy) for policy in own.cluster.policies}
        more = [policy for policy in other.cluster.policies if id(policy) not in known]
        found = copy(self)
        found._find((own, other), [_Numbered(self), Signatures(other, more)])
        return found

    def _find(self, clusters: Sequence[IndexedOracle], signatures: "Sequence[_Telling]") -> None:
        self.clusters = tuple(clusters)
        self._signatures = signatures
        self._cells = {version: _cut([each.cluster for each in clusters], version) for version in _WIDTH}
        self._numbers: dict[object, int] = {}
        self.number_of_held: dict[Address, int] = {}
        self.ends = tuple(self._end_classes())
        self.traffic = tuple(_traffic_classes(clusters))
        self._traffic_starts = {
            protocol: sorted(
                (run.first, each.number) for each in self.traffic if each.protocol is protocol for run in each.ranges
            )
            for protocol in Protocol
        }

    def _end_classes(self) -> Iterator[EndClass]:
        held = sorted({address for each in self.clusters for address in each.held})
        members: dict[object, list[Address]] = defaultdict(list)
        for address in held:
            members[self._key(address)].append(address)
        for key, found in members.items():
            number = self._enter(key)
            self.number_of_held.update(dict.fromkeys(found, number))
            yield EndClass(number, family(found[0]), found[0], tuple(found))
        taken = set(held)
        for version, cut in self._cells.items():
            for bits, runs in cut.runs_by_bits().items():
                witness = _witness(version, runs, taken)
                if witness is not None:
                    number = self._enter(self._key(witness))
                    yield EndClass(number, version, witness, (), tuple(runs), bool(bits & cut.vacant))

    def _enter(self, key: object) -> int:
        return self._numbers.setdefault(key, len(self._numbers))

    def _key(self, address: Address) -> object:
        cut = self._cells[family(address)]
        who = tuple(signatures.of(address) for signatures in self._signatures)
        bits = cut.at(int.from_bytes(address, "big"))
        if all(each is None for each in who) or not is_placeholder(address):
            return family(address), who, bits if None in who else bits & cut.policies
        # A placeholder's bits mean nothing where a pod holds it: the block itself says whether it holds the pod.
        return family(address), who, bits if None in who else None

    def of(self, address: Address) -> EndClass:
        """The class of an address."""
        number = self.number_of_held.get(address)
        return self.ends[self._numbers[self._key(address)] if number is None else number]

    @property
    def partition(self) -> Partition:
        """A member of each class."""
        return Partition(
            tuple(each.representative for each in self.ends), tuple(each.representative for each in self.traffic)
        )

    def of_traffic(self, traffic: Traffic) -> TrafficClass:
        """The class of a protocol and port."""
        if traffic.protocol is None or traffic.port is None:
            return self.traffic[-1]
        starts = self._traffic_starts[traffic.protocol]
        return self.traffic[starts[bisect_right(starts, (traffic.port, len(self.traffic))) - 1][1]]

    def witnesses(self, source: EndClass, destination: EndClass) -> Iterator[tuple[Address, Address]]:
        """A pair of members for each way in which the exemptions (self, node) apply between two classes.

        No pair where the families differ, and no pair of an outside or node address with itself.
        """
        seen = set()
        for near, far in self._candidates(source, destination):
            ends = [(each.who(near), each.who(far)) for each in self.clusters]
            exempt = tuple(exemption(*pair, strict_nodes=True) for pair in ends)
            if exempt not in seen:
                seen.add(exempt)
                yield near, far

    def _candidates(self, source: EndClass, destination: EndClass) -> Iterator[tuple[Address, Address]]:
        if source.family != destination.family:
            return
        nodes = self._has_nodes(source) or self._has_nodes(destination)
        for near in self._examples(source, nodes):
            for far in self._examples(destination, nodes):
                if near != far:
                    yield near, far
        if source is destination and any(isinstance(each.who(source.representative), PodEnd) for each in self.clusters):
            yield source.representative, source.representative

    def _has_nodes(self, end: EndClass) -> bool:
        return any(isinstance(each.who(end.representative), NodeEnd) for each in self.clusters)

    def _examples(self, end: EndClass, of_each_node: bool) -> list[Address]:
        """Up to two members of a class; with ``of_each_node`` up to two members on each node."""
        if not end.held or not of_each_node:
            return [*end.held[:2]] or [end.representative]
        found: dict[tuple[str | None, ...], list[Address]] = defaultdict(list)
        for address in end.held:
            found[tuple(begins_on(each.who(address), None) for each in self.clusters)].append(address)
        return [address for members in found.values() for address in members[:2]]


class _Telling(TypingProtocol):
    """Values by which held addresses differ in one cluster; None for an address that neither a pod nor a node holds."""

    def of(self, address: Address) -> object: ...


class _Numbered:
    """The numbers of the classes in which the addresses of pods and nodes are already."""

    def __init__(self, known: Classes) -> None:
        self.of = known.number_of_held.get


class _Cells(msgspec.Struct, frozen=True):
    """The addresses of a family in runs, and the first address of each run.

    ``policies`` are the bits of ipBlocks, ``vacant`` is the bit of pod CIDRs.
    """

    runs: list[tuple[Range, int]]
    starts: list[int]
    policies: int
    vacant: int

    def at(self, number: int) -> int:
        """The bits of the run that holds a number."""
        return self.runs[bisect_right(self.starts, number) - 1][1]

    def runs_by_bits(self) -> dict[int, list[Range]]:
        """The runs by their bits: runs with equal bits are in the same sets."""
        found: dict[int, list[Range]] = defaultdict(list)
        for run, bits in self.runs:
            found[bits].append(run)
        return found


def _cut(clusters: Sequence[Cluster], version: int) -> _Cells:
    blocks = {
        block
        for cluster in clusters
        for policy in cluster.policies
        for block in policy.blocks
        if block.cidr.family == version
    }
    cidrs = (cidr for cluster in clusters for node in cluster.nodes.values() for cidr in node.pod_cidrs)
    groups = (prefix for cluster in clusters for prefix in group_prefixes(cluster))
    sets = [without(of_prefix(block.cidr), map(of_prefix, block.excepts)) for block in blocks]
    others = [union(of_prefix(each) for each in prefixes if each.family == version) for prefixes in (cidrs, groups)]
    runs = cells((1 << _WIDTH[version]) - 1, [*sets, *others])
    return _Cells(runs, [run.first for run, _ in runs], (1 << len(sets)) - 1, 1 << len(sets))


def _witness(version: int, runs: Sequence[Range], taken: set[Address]) -> Address | None:
    """An address of these runs without a holder, preferably one of the examples; None if all are held."""
    for example in _EXAMPLES:
        number = int.from_bytes(example, "big")
        there = family(example) == version and any(run.first <= number <= run.last for run in runs)
        if there and example not in taken:
            return example
    for run in sorted(runs, key=lambda run: run.first - run.last):
        for number in (*range(min(run.first + 1, run.last), min(run.last, run.first + len(taken) + 1) + 1), run.first):
            address = Address(number.to_bytes(_WIDTH[version] // 8, "big"))
            if address not in taken:
                return address
    return None


def _traffic_classes(clusters: Sequence[IndexedOracle]) -> Iterator[TrafficClass]:
    number = 0
    entries = {entry for each in clusters for entry in _entries(each.cluster)}
    ports = {port for each in clusters for port in _ports_by_name(each)}
    for protocol in Protocol:
        found: dict[int, list[Range]] = defaultdict(list)
        for run, bits in cells(_LAST_PORT, list(_port_sets(entries, ports, protocol))):
            found[bits].append(run)
        for runs in found.values():
            port = next((max(run.first, 1) for run in runs if run.last), 0)
            yield TrafficClass(number, protocol, tuple(runs), Traffic(protocol, port))
            number += 1
    yield TrafficClass(number, None, (), ICMP)


def _entries(cluster: Cluster) -> Iterator[PortEntry]:
    for policy in cluster.policies:
        for rule in (*policy.ingress, *policy.egress):
            yield from rule.ports


def _ports_by_name(oracle: IndexedOracle) -> Iterator[ContainerPort]:
    """The ports of pods that rules name."""
    names = used_names(oracle.cluster.policies)
    for ports in oracle.port_lists if names else ():
        yield from named_ports(ports, names)


def _port_sets(
    entries: Iterable[PortEntry], named: Iterable[ContainerPort], protocol: Protocol
) -> Iterator[list[Range]]:
    """The ports of each numbered entry, and each port to which pods give a name that a rule uses."""
    numbered = {_numbered(entry) for entry in entries if entry.protocol is protocol}
    yield from ([run] for run in numbered if run is not None)
    yield from ([Range(port.number, port.number)] for port in named if port.protocol is protocol)


def _numbered(entry: PortEntry) -> Range | None:
    if not isinstance(entry.port, int):
        return None
    return Range(entry.port, entry.port if entry.end_port is None else entry.end_port)
