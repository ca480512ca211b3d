"""What one side's policies admit, for every pair of ends at once.

The answers are those of `ovsnp.verify.judge` without exemptions; traffic is a set of traffic classes, as bits.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

from ovsnp.diff.effect.ends import Family
from ovsnp.model.cluster import Pod
from ovsnp.model.policy import Direction, IPBlock, NetworkPolicy, Peer, Rule
from ovsnp.model.ports import PortEntry
from ovsnp.model.unassigned import is_placeholder
from ovsnp.verify import OutsideEnd, PodEnd, port_matches
from ovsnp.verify.classes import TrafficClass
from ovsnp.verify.planned import with_unassigned
from ovsnp.verify.prepared import Prepared
from ovsnp.verify.ranges import of_prefix, without

Row = Sequence[int]
"""For each end, as the far one, the traffic that is admitted, as bits."""


class Sides:
    """The rows of one cluster in one family."""

    def __init__(self, prepared: Prepared, family: Family, traffic: Sequence[TrafficClass]) -> None:
        self._prepared, self._family, self._traffic = prepared, family, traffic
        self.all = (1 << len(traffic)) - 1
        self._numbers = [int.from_bytes(end.representative, "big") for end in family.ends]
        self._unassigned = {end.number for end in family.ends if end.held and is_placeholder(end.representative)}
        found = (prepared.who(end.representative) for end in family.ends)
        self.pods = [end.pod if isinstance(end, PodEnd) else None for end in found]
        self._of_group: dict[int, set[int]] = {}
        for address, number in family.of_address.items():
            end = prepared.who(address)
            if isinstance(end, PodEnd):
                self._of_group.setdefault(prepared.workloads.of_pod[end.pod.key], set()).add(number)
        self._peers: dict[tuple[str, tuple[Peer, ...]], list[int]] = {}
        self._ports: dict[tuple[tuple[PortEntry, ...], frozenset[object]], int] = {}
        self._rows: dict[object, Row] = {}

    def rows(self, direction: Direction) -> list[Row]:
        """For each end, as the one whose policies count, what is admitted with every other end."""
        return [self._row(direction, pod) for pod in self.pods]

    def _row(self, direction: Direction, pod: Pod | None) -> Row:
        policies = self._prepared.isolating(direction, pod) if pod else ()
        # For ingress the names of ports are those of the pod itself.
        own = frozenset(pod.ports) if pod and direction is Direction.INGRESS else None
        key = direction, tuple(policy.key for policy in policies), own if policies else None
        if key not in self._rows:
            self._rows[key] = self._made(direction, pod, policies) if pod and policies else [self.all] * len(self.pods)
        return self._rows[key]

    def _made(self, direction: Direction, pod: Pod, policies: Iterable[NetworkPolicy]) -> Row:
        row = [0] * len(self.pods)
        for policy in policies:
            for rule in policy.rules(direction):
                peers = self._named(policy.namespace, rule.peers)
                if direction is Direction.INGRESS:
                    admitted = self._admitted(rule.ports, pod)
                    for number in peers:
                        row[number] |= admitted
                else:
                    self._add_egress(row, rule, peers)
        return row

    def _add_egress(self, row: list[int], rule: Rule, peers: Iterable[int]) -> None:
        named = any(isinstance(entry.port, str) for entry in rule.ports)
        admitted = self._admitted(rule.ports, None)
        for number in peers:
            row[number] |= self._admitted(rule.ports, self.pods[number]) if named else admitted

    def _named(self, namespace: str, peers: tuple[Peer, ...]) -> list[int]:
        """The ends that a rule's ``from`` or ``to`` names."""
        if not peers:
            return list(range(len(self.pods)))
        if (namespace, peers) not in self._peers:
            found: set[int] = set()
            for peer in peers:
                if isinstance(peer, IPBlock):
                    found.update(self._held_by(peer))
                else:
                    for group in self._prepared.named(namespace, peer):
                        found |= self._of_group.get(group, set())
            self._peers[namespace, peers] = sorted(found)
        return self._peers[namespace, peers]

    def _held_by(self, block: IPBlock) -> Iterable[int]:
        """The ends in a block: they are in the order of their representatives."""
        if block.cidr.family != self._family.version:
            return ()
        found: set[int] = set()
        for run in without(of_prefix(block.cidr), map(of_prefix, block.excepts)):
            found.update(range(bisect_left(self._numbers, run.first), bisect_right(self._numbers, run.last)))
        return with_unassigned(block, found, self._unassigned)

    def _admitted(self, entries: tuple[PortEntry, ...], destination: Pod | None) -> int:
        """The traffic that a rule's ``ports`` match; names are looked up at the destination."""
        if not entries:
            return self.all
        names = frozenset(entry.port for entry in entries if isinstance(entry.port, str))
        ports = frozenset(port for port in destination.ports if port.name in names) if destination and names else ()
        key = entries, frozenset(ports)
        if key not in self._ports:
            some = self._family.ends[0].representative
            end = PodEnd(destination, some) if destination else OutsideEnd(some)
            self._ports[key] = sum(
                1 << each.number for each in self._traffic if port_matches(entries, each.representative, end)
            )
        return self._ports[key]
