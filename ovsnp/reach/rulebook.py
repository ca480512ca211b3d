"""What each rule admits, told once: classes of peers and classes of traffic, as the oracle matches them."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence

import msgspec

from ovsnp.model.address import FAMILIES
from ovsnp.model.policy import Direction, IPBlock, NetworkPolicy, Peer
from ovsnp.model.ports import PortEntry
from ovsnp.model.unassigned import is_placeholder
from ovsnp.verify import ICMP, Admission, PodEnd, Traffic, port_matches
from ovsnp.verify.classes import Classes, EndClass
from ovsnp.verify.planned import with_unassigned
from ovsnp.verify.ranges import of_prefix, without


class Facts(msgspec.Struct, frozen=True):
    """One rule: the classes of ends it names (None: everyone), and its ports.

    ``ports`` are bits, one a class of traffic, of the entries that mean the same everywhere; ``named`` are those
    entries that are looked up at the destination.
    """

    admission: Admission
    peers: frozenset[int] | None
    ports: int
    named: tuple[PortEntry, ...]

    def names(self, far: int) -> bool:
        """Whether a class of ends is among the peers."""
        return self.peers is None or far in self.peers


class Rulebook:
    """The rules of a cluster's policies over its classes; numbers are those of `Classes`."""

    def __init__(self, classes: Classes) -> None:
        self.classes = classes
        self.everything = (1 << len(classes.traffic)) - 1
        self._prepared = classes.clusters[0]
        self._ends = [self._prepared.who(end.representative) for end in classes.ends]
        self._of_group: dict[int, set[int]] = defaultdict(set)
        for end, who in zip(classes.ends, self._ends, strict=True):
            if isinstance(who, PodEnd):
                self._of_group[self._prepared.workloads.of_pod[who.pod.key]].add(end.number)
        self._sorted = {version: _by_address(classes.ends, version) for version in FAMILIES}
        self._unassigned: dict[int, set[int]] = defaultdict(set)
        for end in classes.ends:
            if end.held and is_placeholder(end.representative):
                self._unassigned[end.family].add(end.number)
        self._facts: dict[tuple[str, Direction], tuple[Facts, ...]] = {}
        self._naming: dict[int, list[int]] | None = None
        self._named: dict[tuple[PortEntry, int], int] = {}
        self._ports: dict[PortEntry, int] = {}
        self._peers: dict[tuple[str, Peer], frozenset[int]] = {}

    def isolating(self, direction: Direction, near: int) -> tuple[NetworkPolicy, ...]:
        """The policies that isolate the pods of a class; none where it has no pods."""
        who = self._ends[near]
        return self._prepared.isolating(direction, who.pod) if isinstance(who, PodEnd) else ()

    def facts(self, policy: NetworkPolicy, direction: Direction) -> tuple[Facts, ...]:
        """A policy's rules of one direction, in order."""
        key = policy.key, direction
        if key not in self._facts:
            self._facts[key] = tuple(
                self._fact(policy, direction, index) for index in range(len(policy.rules(*key[1:])))
            )
        return self._facts[key]

    def naming(self, outsiders: int) -> tuple[int, ...]:
        """The rules whose blocks hold a class of outsiders, by their places among all rules; to be compared."""
        if self._naming is None:
            self._naming = self._find_naming()
        return tuple(self._naming.get(outsiders, ()))

    def _find_naming(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = defaultdict(list)
        outside = {end.number for end in self.classes.ends if end.ranges}
        policies = self._prepared.cluster.policies
        rules = (facts for policy in policies for each in Direction for facts in self.facts(policy, each))
        for place, facts in enumerate(rules):
            for number in (facts.peers or frozenset()) & outside:
                found[number].append(place)
        return found

    def _fact(self, policy: NetworkPolicy, direction: Direction, index: int) -> Facts:
        rule = policy.rules(direction)[index]
        peers = frozenset().union(*(self._peer(policy.namespace, peer) for peer in rule.peers)) if rule.peers else None
        named = tuple(entry for entry in rule.ports if isinstance(entry.port, str))
        ports = 0 if rule.ports else self.everything
        for entry in rule.ports:
            if entry not in named:
                ports |= self._entry(entry)
        return Facts(Admission(policy, direction, index), peers, ports, named)

    def _peer(self, namespace: str, peer: Peer) -> frozenset[int]:
        key = namespace, peer
        if key not in self._peers:
            if isinstance(peer, IPBlock):
                self._peers[key] = frozenset(self._in_block(peer))
            else:
                groups = self._prepared.named(namespace, peer)
                self._peers[key] = frozenset().union(
                    *(self._of_group[each] for each in groups if each in self._of_group)
                )
        return self._peers[key]

    def _in_block(self, block: IPBlock) -> set[int]:
        ends = self._sorted[block.cidr.family]
        found: list[int] = []
        for run in without(of_prefix(block.cidr), map(of_prefix, block.excepts)):
            first = bisect_left(ends, run.first, key=lambda end: end[0])
            last = bisect_right(ends, run.last, key=lambda end: end[0])
            found += [number for _, number in ends[first:last]]
        return with_unassigned(block, found, self._unassigned[block.cidr.family])

    def _entry(self, entry: PortEntry) -> int:
        """The traffic that an entry without a name means; any end may stand for the destination."""
        if entry not in self._ports:
            self._ports[entry] = self._matching(entry, 0)
        return self._ports[entry]

    def named_at(self, entry: PortEntry, destination: int) -> int:
        """The traffic that an entry with a name means at a class of destinations."""
        key = entry, destination
        if key not in self._named:
            self._named[key] = self._matching(entry, destination)
        return self._named[key]

    def _matching(self, entry: PortEntry, destination: int) -> int:
        matched = 0
        for traffic in self.classes.traffic:
            if port_matches((entry,), traffic.representative, self._ends[destination]):
                matched |= 1 << traffic.number
        return matched

    def ports_at(self, facts: Facts, destination: int) -> int:
        """All traffic that a rule's ports mean at a class of destinations, as bits."""
        ports = facts.ports
        for entry in facts.named:
            ports |= self.named_at(entry, destination)
        return ports

    def example(self, facts: Facts, destination: int) -> Traffic:
        """Some traffic with a port that a rule means at a class of destinations; `ICMP` where its ports mean none."""
        bits = self.ports_at(facts, destination)
        fitting = (each.representative for each in self.classes.traffic if bits >> each.number & 1)
        return next((each for each in fitting if each.port), ICMP)


def _by_address(ends: Sequence[EndClass], version: int) -> list[tuple[int, int]]:
    """The classes of a family, by their representatives' addresses as numbers."""
    return sorted((int.from_bytes(end.representative, "big"), end.number) for end in ends if end.family == version)
