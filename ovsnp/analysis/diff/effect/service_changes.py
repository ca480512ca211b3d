"""Finds which pods gain or lose which endpoints through Services, where no line between pods says so."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from ovsnp.analysis.diff.effect.ends import ComparedEnd, Ends, Family
from ovsnp.analysis.diff.effect.frontends import Candidates, FrontendPair
from ovsnp.model.address import Address
from ovsnp.model.policy import Direction
from ovsnp.oracle import NodeEnd, PodEnd, ServingBackend, Traffic, judge
from ovsnp.oracle.classes import Classes
from ovsnp.oracle.indexed_oracle import IndexedOracle
from ovsnp.oracle.judge import holds_cluster_ip
from ovsnp.oracle.relation import Relation


class ServiceClients(NamedTuple):
    """Pods of one end, by name with address, that are given the same endpoints, with the same verdicts about them."""

    end: ComparedEnd
    pods: Mapping[str, Address]


class Change(NamedTuple):
    """An endpoint that sources gain or lose at a frontend; ``itself``: only the pod that is the endpoint does."""

    source: ServiceClients
    backend: ServingBackend
    itself: bool


class _Side(msgspec.Struct, frozen=True, eq=False):
    """One of the two clusters (``number`` 0: the old one), its oracle, and the relation of its ends."""

    number: int
    oracle: IndexedOracle
    relation: Relation


class _Target(msgspec.Struct, frozen=True, eq=False):
    """An endpoint of a frontend: the traffic to it and its class, its end, and whether it comes (or goes)."""

    frontend: FrontendPair
    backend: ServingBackend
    traffic: Traffic
    number: int
    far: int | None
    is_pod: bool
    comes: bool


class ServiceChanges:
    """Compares the Services of one address family; with ``blocks``, ipBlocks of egress rules may hold cluster IPs."""

    def __init__(
        self, ends: Ends, of: Family, classes: Classes, relations: tuple[Relation, Relation], blocks: bool
    ) -> None:
        self._ends, self._family, self._classes, self._blocks = ends, of, classes, blocks
        clusters = zip(classes.clusters, relations, strict=True)
        self._sides = tuple(_Side(number, *each) for number, each in enumerate(clusters))
        self._pods = [end for end in of.ends if end.held and isinstance(ends.new.who(end.representative), PodEnd)]
        self._holding: dict[tuple[int, int], frozenset[str]] = {}
        self._sources: dict[bool, Mapping[str | None, Sequence[ServiceClients]]] = {}

    def frontends(self) -> Iterator[FrontendPair]:
        """The frontends at which there may be changes."""
        alone = self._reaching_themselves()
        candidates = Candidates(*(side.oracle.cluster for side in self._sides))
        return candidates.frontends(
            self._family.version, lambda address: address in alone or self._is_untold(address), every=self._blocks
        )

    def _reaching_themselves(self) -> frozenset[Address]:
        """The addresses of pods about whose traffic to themselves the policies' verdict has changed."""
        old, new = (each.relation for each in self._sides)
        turned = (
            end.number for end in self._pods if any(new.differs(old, direction, end.number) for direction in Direction)
        )
        return frozenset(
            address
            for number in turned
            if old.allowed(number, number) != new.allowed(number, number)
            for address in self._family.ends[number].held
        )

    def _is_untold(self, address: Address) -> bool:
        """Whether no line between pods is about an address, but a policy may be."""
        always = isinstance(self._ends.new.who(address), NodeEnd) and not self._ends.strict_nodes
        return not always and self._ends.number(self._family, address) is None

    def changes(self, frontend: FrontendPair, *, gained: bool) -> Iterator[Change]:
        """The gains at a frontend, or the losses."""
        first, second = self._sides if gained else self._sides[::-1]
        by_block = self._by_block(frontend) if self._blocks else frozenset()
        for node, sources in self._by_node(frontend.local or self._ends.strict_nodes).items():
            before, after = (frontend.backends(side.number, side.oracle, node) for side in (first, second))
            for backend in sorted(after):
                target = self._target(frontend, backend, comes=backend not in before)
                for source in self._concerned(target, sources, by_block):
                    if not self._reaches(second, source, target):
                        continue
                    if target.comes or not self._reaches(first, source, target):
                        told = not target.comes and self._is_told(source, target, first, second)
                        if not told or self._serves_itself(source, backend):
                            yield Change(source, backend, told)

    def _serves_itself(self, source: ServiceClients, backend: ServingBackend) -> bool:
        """Whether one of the pods is the endpoint; a template is not: its pods get each other as endpoints, too."""
        served = self._ends.new.who(backend.address)
        return backend.address in source.pods.values() and isinstance(served, PodEnd) and not served.pod.template

    def _by_node(self, apart: bool) -> Mapping[str | None, Sequence[ServiceClients]]:
        """The pods that stay, by node if ``apart``, else all under None."""
        if apart not in self._sources:
            found: dict[str | None, list[ServiceClients]] = defaultdict(list)
            for end in self._pods:
                alike: dict[str | None, dict[str, Address]] = defaultdict(dict)
                for address in end.held:
                    pod = self._ends.new.who(address)
                    if isinstance(pod, PodEnd):
                        alike[pod.pod.node if apart else None][pod.pod.key] = address
                for node, pods in alike.items():
                    found[node].append(ServiceClients(end, pods))
            self._sources[apart] = found
        return self._sources[apart]

    def _target(self, frontend: FrontendPair, backend: ServingBackend, *, comes: bool) -> _Target:
        traffic = Traffic(frontend.protocol, backend.port)
        number = self._classes.of_traffic(traffic).number
        far = self._ends.number(self._family, backend.address)
        is_pod = isinstance(self._ends.new.who(backend.address), PodEnd)
        return _Target(frontend, backend, traffic, number, far, is_pod, comes)

    def _concerned(
        self, target: _Target, sources: Sequence[ServiceClients], by_block: frozenset[str]
    ) -> Iterable[ServiceClients]:
        """The sources about which a line between pods may not say everything."""
        if target.comes or self._is_untold(target.backend.address):
            return sources
        itself = (each for each in sources if each.end.number == target.far)
        if not by_block:
            return itself
        blocked = (each for each in sources if not by_block.isdisjoint(self._isolating(each.end)))
        return {each.end.number: each for each in (*itself, *blocked)}.values()

    def _is_told(self, source: ServiceClients, target: _Target, first: _Side, second: _Side) -> bool:
        """Whether the pods, except the endpoint itself, gain or lose the same without the Service: a line says so."""
        if target.far is None:
            return False
        pair = source.end.number, target.far
        return bool((second.relation.allowed(*pair) & ~first.relation.allowed(*pair)) >> target.number & 1)

    def _reaches(self, side: _Side, source: ServiceClients, target: _Target) -> bool:
        oracle, far = side.oracle, target.far
        if far is not None and not self._blocks and target.is_pod:
            return bool(side.relation.allowed(source.end.number, far) >> target.number & 1)
        near, port = next(iter(source.pods.values())), target.frontend.ports[side.number]
        return judge(
            oracle,
            oracle.who(near),
            oracle.who(target.backend.address),
            target.traffic,
            strict_nodes=self._ends.strict_nodes,
            via=port[0] if port else None,
            opened_to=target.frontend.opened_to if self._blocks else None,
        ).allowed

    def _by_block(self, frontend: FrontendPair) -> frozenset[str]:
        """The policies with an egress ipBlock that holds the cluster IP: the same for all addresses of a class."""
        address, traffic = frontend.opened_to
        alike = self._classes.of(address).number, self._classes.of_traffic(traffic).number
        if alike not in self._holding:
            self._holding[alike] = frozenset(
                policy.key
                for side in self._sides
                for policy in side.oracle.cluster.policies
                if any(holds_cluster_ip(rule, frontend.opened_to) for rule in policy.egress)
            )
        return self._holding[alike]

    def _isolating(self, end: ComparedEnd) -> frozenset[str]:
        found = ((side.oracle, side.oracle.who(end.representative)) for side in self._sides)
        return frozenset(
            policy.key
            for oracle, pod in found
            if isinstance(pod, PodEnd)
            for policy in oracle.isolating(Direction.EGRESS, pod.pod)
        )
