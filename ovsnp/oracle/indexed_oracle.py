"""Look-ups in one cluster with indexes, for many questions: `judge` and `judge_service` take them for the cluster.

The answers equal those of `Lookups`, which a test checks. The indexes keep the holder of each address, the policies
that isolate each pod, the pods that a peer names, and the backends of Services.
"""

from collections import defaultdict
from collections.abc import Iterable, KeysView, Sequence
from copy import copy
from functools import cache, cached_property
from heapq import merge

import msgspec

from ovsnp.model.address import Address
from ovsnp.model.cluster import Cluster, Pod
from ovsnp.model.policy import Direction, IPBlock, NetworkPolicy, Peer, PodPeer
from ovsnp.model.ports import ContainerPort
from ovsnp.model.selector import Selector
from ovsnp.model.service import Service, ServicePort
from ovsnp.oracle.endpoints import Endpoint, NodeEnd, OutsideEnd, PodEnd
from ovsnp.oracle.isolation import affects
from ovsnp.oracle.lookups import Lookups
from ovsnp.oracle.selection import Workloads
from ovsnp.oracle.services import ServingBackend


class IndexedOracle(Lookups):
    """Look-ups that keep their results."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster)
        self.workloads = Workloads(cluster)
        self._holders = _holders(cluster)
        self._selected: dict[tuple[str, Selector], set[int]] = {}
        self._isolating = {direction: self._find_isolating(direction) for direction in Direction}
        self._named: dict[tuple[str, PodPeer], set[int]] = {}
        self._backends: dict[tuple[str, ServicePort, int, str | None], frozenset[ServingBackend]] = {}
        self._group: dict[OutsideEnd, bool] = {}

    def with_policies(self, policies: Iterable[NetworkPolicy]) -> "IndexedOracle":
        """The look-ups in the same cluster with other policies; the two share what policies have no part in."""
        other = copy(self)
        other.cluster = msgspec.structs.replace(self.cluster, policies=tuple(policies))
        other._isolating = {direction: other._find_isolating(direction) for direction in Direction}
        return other

    def has_pods_of(self, other: "IndexedOracle") -> bool:
        """True if one of the two was made by `with_policies` of the other: they may differ in their policies only."""
        return self.workloads is other.workloads

    @cached_property
    def port_lists(self) -> frozenset[tuple[ContainerPort, ...]]:
        """The named ports that pods have, without repetition."""
        return frozenset(pod.ports for pod in self.cluster.pods)

    def selected(self, namespace: str, selector: Selector) -> set[int]:
        """The groups of `workloads` in a namespace that a selector selects."""
        subject = namespace, selector
        if subject not in self._selected:
            self._selected[subject] = self.workloads.of_namespace(*subject)
        return self._selected[subject]

    def _find_isolating(self, direction: Direction) -> dict[int, tuple[NetworkPolicy, ...]]:
        """The policies that isolate each group, in order; those that select the same are asked once."""
        subjects: dict[tuple[str, Selector], list[int]] = defaultdict(list)
        for place, policy in enumerate(self.cluster.policies):
            if affects(policy, direction):
                subjects[policy.namespace, policy.pod_selector].append(place)
        places = list(subjects.values())
        selecting: dict[int, list[int]] = defaultdict(list)
        for index, subject in enumerate(subjects):
            for number in self.selected(*subject):
                selecting[number].append(index)

        @cache
        def together(indexes: tuple[int, ...]) -> tuple[NetworkPolicy, ...]:
            return tuple(self.cluster.policies[place] for place in merge(*(places[index] for index in indexes)))

        return {number: together(tuple(indexes)) for number, indexes in selecting.items()}

    def who(self, address: Address) -> Endpoint:
        """The holder of an address."""
        return self._holders.get(address) or OutsideEnd(address)

    @property
    def held(self) -> KeysView[Address]:
        """The addresses that pods and nodes hold."""
        return self._holders.keys()

    def isolating(self, direction: Direction, pod: Pod) -> tuple[NetworkPolicy, ...]:
        """The policies that isolate a pod of this cluster in one direction."""
        return self._isolating[direction].get(self.workloads.of_pod[pod.key], ())

    def names(self, namespace: str, peers: Sequence[Peer], far: Endpoint) -> bool:
        """True if the peers of a rule name the far end; selectors are compared with the group of the end's pod."""
        return not peers or any(self._is_named(namespace, peer, far) for peer in peers)

    def _is_named(self, namespace: str, peer: Peer, far: Endpoint) -> bool:
        if isinstance(peer, IPBlock):
            return super().names(namespace, (peer,), far)
        return isinstance(far, PodEnd) and self.workloads.of_pod[far.pod.key] in self.named(namespace, peer)

    def named(self, namespace: str, peer: PodPeer) -> set[int]:
        """The groups of `workloads` that a peer of a policy in this namespace names."""
        scope = namespace if peer.namespace_selector is None else ""
        if (scope, peer) not in self._named:
            self._named[scope, peer] = self.workloads.of_peer(namespace, peer)
        return self._named[scope, peer]

    def is_group(self, destination: Endpoint) -> bool:
        """True if the destination is a multicast or broadcast address."""
        if not isinstance(destination, OutsideEnd):
            return False
        if destination not in self._group:
            self._group[destination] = super().is_group(destination)
        return self._group[destination]

    def backends(
        self, service: Service, port: ServicePort, version: int, node: str | None
    ) -> frozenset[ServingBackend]:
        """The backends that may get a connection to this port that begins on a node."""
        key = service.key, port, version, node if service.local else None
        if key not in self._backends:
            self._backends[key] = super().backends(service, port, version, node)
        return self._backends[key]


def _holders(cluster: Cluster) -> dict[Address, Endpoint]:
    found: dict[Address, Endpoint] = {}
    for pod in cluster.pods:
        for address in pod.addresses:
            found.setdefault(address, PodEnd(pod, address))
    for node in cluster.nodes.values():
        for address in (*node.addresses, *node.gateways):
            found.setdefault(address, NodeEnd(node, address))
    return found
