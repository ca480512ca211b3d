"""Compiled rules: the classes of peers and of traffic that each rule matches, worked out once."""

from bisect import bisect_left
from collections import defaultdict
from copy import copy

import msgspec

from ovsnp.model.address import FAMILIES, Address, family
from ovsnp.model.policy import Direction, IPBlock, NetworkPolicy, Peer, PodPeer
from ovsnp.model.ports import PortEntry
from ovsnp.model.unassigned import is_placeholder
from ovsnp.oracle.endpoints import PodEnd
from ovsnp.oracle.indexed_oracle import IndexedOracle
from ovsnp.oracle.judge import Admission
from ovsnp.oracle.ranges import of_prefix, without
from ovsnp.oracle.traffic import ICMP, Traffic, entry_matches


class Partition(msgspec.Struct, frozen=True):
    """A member of each class of ends and of traffic; the number of a class is its index."""

    ends: tuple[Address, ...]
    traffic: tuple[Traffic, ...]


class CompiledRule(msgspec.Struct, frozen=True):
    """One rule: the classes of ends that it names (None: all), and its ports.

    ``ports`` are bits, one for each class of traffic, of the entries without a port name (all classes where the rule
    has no entries). ``named`` are the entries with a port name, which is looked up at the destination.
    """

    admission: Admission
    peers: frozenset[int] | None
    ports: int
    named: tuple[PortEntry, ...]

    def names(self, far: int) -> bool:
        """True if a class of ends is among the peers."""
        return self.peers is None or far in self.peers


class Rulebook:
    """The rules of a cluster's policies over the classes of a partition."""

    def __init__(self, oracle: IndexedOracle, partition: Partition) -> None:
        self.numbers = range(len(partition.ends))
        self.everything = (1 << len(partition.traffic)) - 1
        self._oracle, self._traffic = oracle, partition.traffic
        self._ends = [oracle.who(address) for address in partition.ends]
        self._of_group: dict[int, set[int]] = defaultdict(set)
        self._unassigned: dict[int, set[int]] = {version: set() for version in FAMILIES}
        for number, end in enumerate(self._ends):
            if isinstance(end, PodEnd):
                self._of_group[oracle.workloads.of_pod[end.pod.key]].add(number)
                if is_placeholder(end.address):
                    self._unassigned[family(end.address)].add(number)
        self._by_address = {version: _by_address(partition.ends, version) for version in FAMILIES}
        self._facts: dict[tuple[str, Direction], tuple[CompiledRule, ...]] = {}
        self._peers: dict[tuple[str, Peer], frozenset[int]] = {}
        self._unions: dict[frozenset[int], frozenset[int]] = {}
        self._entries: dict[tuple[PortEntry, object], int] = {}

    @property
    def policies(self) -> tuple[NetworkPolicy, ...]:
        """The policies of the cluster."""
        return self._oracle.cluster.policies

    def beside(self, oracle: IndexedOracle) -> "Rulebook":
        """The rules of other policies over the same classes; `IndexedOracle.with_policies` made the look-ups."""
        other = copy(self)
        other._oracle, other._facts = oracle, {}
        return other

    def isolating(self, direction: Direction, near: int) -> tuple[NetworkPolicy, ...]:
        """The policies that isolate the pods of a class; none for a class without pods."""
        end = self._ends[near]
        return self._oracle.isolating(direction, end.pod) if isinstance(end, PodEnd) else ()

    def facts(self, policy: NetworkPolicy, direction: Direction) -> tuple[CompiledRule, ...]:
        """A policy's rules of one direction, in order."""
        key = policy.key, direction
        if key not in self._facts:
            indexes = range(len(policy.rules(direction)))
            self._facts[key] = tuple(self._fact(Admission(policy, direction, index)) for index in indexes)
        return self._facts[key]

    def _fact(self, admission: Admission) -> CompiledRule:
        policy = admission.policy
        rule = policy.rules(admission.direction)[admission.rule]
        peers = self._union([self._peer(policy.namespace, peer) for peer in rule.peers]) if rule.peers else None
        named = tuple(entry for entry in rule.ports if isinstance(entry.port, str))
        ports = 0 if rule.ports else self.everything
        for entry in rule.ports:
            if entry not in named:
                # Without a port name every destination gives the same result.
                ports |= self.entry_at(entry, 0)
        return CompiledRule(admission, peers, ports, named)

    def _union(self, peers: list[frozenset[int]]) -> frozenset[int]:
        """All classes of some peers; rules with the same ones share them, as these are large."""
        found = frozenset().union(*peers)
        return self._unions.setdefault(found, found)

    def _peer(self, namespace: str, peer: Peer) -> frozenset[int]:
        own = isinstance(peer, PodPeer) and peer.namespace_selector is None
        key = namespace if own else "", peer
        if key not in self._peers:
            if isinstance(peer, IPBlock):
                self._peers[key] = frozenset(self._in_block(peer))
            else:
                groups = self._oracle.named(namespace, peer)
                self._peers[key] = frozenset().union(
                    *(self._of_group[each] for each in groups if each in self._of_group)
                )
        return self._peers[key]

    def _in_block(self, block: IPBlock) -> set[int]:
        """The classes in a block; ``unassigned`` says whether the block holds the classes at placeholders."""
        ends = self._by_address[block.cidr.family]
        found: set[int] = set()
        for first, last in without(of_prefix(block.cidr), map(of_prefix, block.excepts)):
            found.update(number for _, number in ends[bisect_left(ends, (first,)) : bisect_left(ends, (last + 1,))])
        if block.unassigned is None:
            return found
        unassigned = self._unassigned[block.cidr.family]
        return found | unassigned if block.unassigned.pods else found - unassigned

    def entry_at(self, entry: PortEntry, destination: int) -> int:
        """The traffic that an entry matches at a class of destinations, as bits."""
        end = self._ends[destination]
        key = entry, end.pod.ports if isinstance(entry.port, str) and isinstance(end, PodEnd) else None
        if key not in self._entries:
            matched = (1 << number for number, each in enumerate(self._traffic) if entry_matches(entry, each, end))
            self._entries[key] = sum(matched)
        return self._entries[key]

    def ports_at(self, facts: CompiledRule, destination: int) -> int:
        """All traffic that the ports of a rule match at a class of destinations, as bits."""
        ports = facts.ports
        for entry in facts.named:
            ports |= self.entry_at(entry, destination)
        return ports

    def example(self, facts: CompiledRule, destination: int) -> Traffic:
        """Some traffic with a port that a rule matches at a class of destinations; `ICMP` where there is none."""
        bits = self.ports_at(facts, destination)
        fitting = (each for number, each in enumerate(self._traffic) if bits >> number & 1)
        return next((each for each in fitting if each.port), ICMP)


def _by_address(ends: tuple[Address, ...], version: int) -> list[tuple[int, int]]:
    """The classes of a family, sorted by the addresses of their members as numbers."""
    return sorted((int.from_bytes(end, "big"), number) for number, end in enumerate(ends) if family(end) == version)
