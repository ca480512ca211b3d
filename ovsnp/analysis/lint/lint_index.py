"""The index of a cluster for the checks: it groups pods that are alike, and keeps answers of the oracle.

Only the oracle says which pods a selector or a peer names, and which policies isolate a pod.
"""

from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from heapq import nsmallest
from typing import TypeVar

import msgspec

from ovsnp.analysis.lint.labels import Labels
from ovsnp.model.address import Prefix, family, host_prefix
from ovsnp.model.cluster import Cluster, Pod
from ovsnp.model.policy import Direction, IPBlock, NetworkPolicy, Peer, PodPeer
from ovsnp.model.selector import Selector
from ovsnp.model.service import EndpointSlice, Service, ServicePort
from ovsnp.model.unassigned import is_placeholder
from ovsnp.oracle import PodEnd, ServingBackend, backends, peer_matches
from ovsnp.oracle.indexed_oracle import IndexedOracle
from ovsnp.oracle.selection import Workloads

_Item = TypeVar("_Item")
_Key = TypeVar("_Key", bound=Hashable)

NAMES_SHOWN = 6
"""The most names of ports that a finding shows."""


class PodKind(msgspec.Struct, frozen=True):
    """The pods (at least one) of a namespace with the same labels: selectors cannot distinguish them."""

    namespace: str
    labels: Mapping[str, str]
    pods: tuple[Pod, ...]


def grouped(items: Iterable[_Item], key: Callable[[_Item], _Key]) -> dict[_Key, tuple[_Item, ...]]:
    """The items by their key, in order."""
    found: dict[_Key, list[_Item]] = {}
    for item in items:
        found.setdefault(key(item), []).append(item)
    return {each: tuple(alike) for each, alike in found.items()}


class PodsByPeer:
    """The pods that a peer names, out of some given pods; each peer is evaluated once."""

    def __init__(self, cluster: Cluster, pods: tuple[Pod, ...]) -> None:
        self._workloads = Workloads(msgspec.structs.replace(cluster, pods=pods))
        self._found: dict[tuple[str, PodPeer], tuple[Pod, ...]] = {}

    def by(self, namespace: str, peer: PodPeer) -> tuple[Pod, ...]:
        """The pods that a peer of a policy of this namespace names, in order."""
        asked = "" if peer.namespace_selector else namespace, peer
        if asked not in self._found:
            groups = (self._workloads.groups[number] for number in sorted(self._workloads.of_peer(namespace, peer)))
            self._found[asked] = tuple(pod for group in groups for pod in group)
        return self._found[asked]


class PortNames:
    """The names of ports that some pods have, each with its protocol."""

    def __init__(self, pods: Iterable[Pod]) -> None:
        self.all = frozenset((port.name, port.protocol) for pod in pods for port in pod.ports)
        self.first = nsmallest(NAMES_SHOWN, (f"{name}/{protocol}" for name, protocol in self.all))


class LintIndex:
    """A cluster with answers about it; ``strict_nodes`` and ``service_blocks`` are as for the compiler.

    A caller that has an `IndexedOracle` gives it in place of the cluster.
    ``service_cidrs`` are CIDRs of cluster IPs, beside those of the cluster.
    """

    def __init__(
        self,
        given: Cluster | IndexedOracle,
        service_cidrs: Sequence[Prefix] = (),
        *,
        strict_nodes: bool = False,
        service_blocks: bool = False,
    ) -> None:
        self._given = given
        self.cluster = cluster = given.cluster if isinstance(given, IndexedOracle) else given
        self.service_cidrs = tuple(sorted({*cluster.service_cidrs, *service_cidrs}))
        self.strict_nodes = strict_nodes
        self.service_blocks = service_blocks
        self._selected: dict[tuple[str, Selector], tuple[PodKind, ...]] = {}
        self._named: dict[tuple[str, Peer], tuple[Pod, ...]] = {}
        self._namespaces: dict[Selector, Sequence[str]] = {}
        self._labels: dict[str | Selector, Labels] = {}
        self._port_names: dict[int, tuple[tuple[Pod, ...], PortNames]] = {}
        self._subjects: dict[tuple[str, Selector], tuple[Pod, ...]] = {}

    @cached_property
    def kinds(self) -> Mapping[str, tuple[PodKind, ...]]:
        """The kinds of pods of every namespace that has pods."""
        return grouped(self._kinds, lambda kind: kind.namespace)

    @cached_property
    def _kinds(self) -> Sequence[PodKind]:
        """The kinds of pods, by the numbers of the oracle's groups."""
        return [PodKind(pods[0].namespace, pods[0].labels, tuple(pods)) for pods in self._oracle.workloads.groups]

    @cached_property
    def _oracle(self) -> IndexedOracle:
        return self._given if isinstance(self._given, IndexedOracle) else IndexedOracle(self._given)

    @cached_property
    def hosts(self) -> PodsByPeer:
        """The pods of host networks, by the peers that would name them if selectors selected them."""
        return PodsByPeer(self.cluster, self.cluster.host_pods)

    @cached_property
    def ended(self) -> PodsByPeer:
        """The pods that have ended, by the peers that would name them if selectors selected them."""
        return PodsByPeer(self.cluster, self.cluster.ended_pods)

    def namespaces(self, namespace: str, peer: PodPeer) -> Sequence[str]:
        """The namespaces that a peer of a policy of this namespace is about, in order."""
        selector = peer.namespace_selector
        if selector is None:
            return (namespace,)
        if selector not in self._namespaces:
            self._namespaces[selector] = sorted(self._oracle.workloads.namespaces(selector))
        return self._namespaces[selector]

    def labels(self, namespace: str, peer: PodPeer) -> Labels:
        """The labels of all pods of the namespaces that a peer of a policy of this namespace is about."""
        asked = namespace if peer.namespace_selector is None else peer.namespace_selector
        if asked not in self._labels:
            around = self._oracle.workloads.around(namespace, peer)
            self._labels[asked] = Labels((self._kinds[number].labels for number in around), "pod")
        return self._labels[asked]

    @cached_property
    def namespace_labels(self) -> Labels:
        """The labels of all namespaces."""
        return Labels((each.labels for each in self.cluster.namespaces.values()), "namespace")

    def living(self, namespace: str, selector: Selector) -> Iterator[PodKind]:
        """The kinds of pods of a namespace that a selector selects."""
        return (self._kinds[number] for number in sorted(self._oracle.workloads.of_namespace(namespace, selector)))

    @cached_property
    def has_living_pods(self) -> bool:
        """True if the input has pods of a running cluster; manifests in Git have workloads only."""
        hosts = any(pod.addresses for pod in self.cluster.host_pods)
        return len(self._unassigned) < len(self.cluster.pods) or hosts or bool(self.cluster.ended_pods)

    @cached_property
    def policies(self) -> Mapping[str, tuple[NetworkPolicy, ...]]:
        """The policies of every namespace that has policies."""
        return grouped(self.cluster.policies, lambda policy: policy.namespace)

    def selected(self, policy: NetworkPolicy) -> tuple[PodKind, ...]:
        """The kinds of pods that a policy selects."""
        asked = (policy.namespace, policy.pod_selector)
        if asked not in self._selected:
            self._selected[asked] = tuple(self.living(*asked))
        return self._selected[asked]

    def subjects(self, policy: NetworkPolicy) -> tuple[Pod, ...]:
        """The pods that a policy selects."""
        asked = (policy.namespace, policy.pod_selector)
        if asked not in self._subjects:
            self._subjects[asked] = tuple(pod for kind in self.selected(policy) for pod in kind.pods)
        return self._subjects[asked]

    def isolating(self, kind: PodKind, direction: Direction) -> tuple[NetworkPolicy, ...]:
        """The policies that isolate a kind of pods in a direction, in order."""
        return self._oracle.isolating(direction, kind.pods[0])

    def named(self, policy: NetworkPolicy, peer: Peer) -> tuple[Pod, ...]:
        """The pods that a peer of one of the policy's rules names."""
        own = isinstance(peer, PodPeer) and peer.namespace_selector is None
        # Only a peer without namespaceSelector names other pods in another namespace.
        asked = (policy.namespace if own else "", peer)
        if asked not in self._named:
            self._named[asked] = self._in_block(peer) if isinstance(peer, IPBlock) else self._by_selectors(policy, peer)
        return self._named[asked]

    def port_names(self, pods: tuple[Pod, ...]) -> PortNames:
        """The names of ports that pods have; they are collected once for each tuple object."""
        kept = self._port_names.get(id(pods))
        if kept is None or kept[0] is not pods:
            kept = self._port_names[id(pods)] = pods, PortNames(pods)
        return kept[1]

    def backends(self, service: Service) -> Iterator[tuple[ServicePort, ServingBackend]]:
        """The backends at each port of a Service, in either family, whatever node a connection begins on."""
        selected = self.living(service.namespace, service.selector) if service.selector else ()
        part = msgspec.structs.replace(
            self.cluster,
            pods=tuple(pod for kind in selected for pod in kind.pods),
            host_pods=self._host_pods.get(service.namespace, ()),
            slices=self._slices.get((service.namespace, service.name), ()),
        )
        for port in service.ports:
            for version in sorted({family(address) for address in service.cluster_ips}):
                for backend in sorted(backends(part, service, port, version, None)):
                    yield port, backend

    @cached_property
    def _host_pods(self) -> Mapping[str, tuple[Pod, ...]]:
        return grouped(self.cluster.host_pods, lambda pod: pod.namespace)

    @cached_property
    def _slices(self) -> Mapping[tuple[str, str], tuple[EndpointSlice, ...]]:
        return grouped(self.cluster.slices, lambda each: (each.namespace, each.service))

    def _by_selectors(self, policy: NetworkPolicy, peer: PodPeer) -> tuple[Pod, ...]:
        kinds = (self._kinds[number] for number in sorted(self._oracle.named(policy.namespace, peer)))
        return tuple(pod for kind in kinds for pod in kind.pods)

    def _in_block(self, block: IPBlock) -> tuple[Pod, ...]:
        numbers, last = self._by_address, block.cidr.value + (1 << (block.cidr.width - block.cidr.length)) - 1
        first = bisect_left(numbers, (block.cidr.family, block.cidr.value))
        places = {place for _, _, place in numbers[first : bisect_left(numbers, (block.cidr.family, last + 1))]}
        found = {
            place: self.cluster.pods[place]
            for place in (places | self._unassigned if block.unassigned else places)
            for address in self.cluster.pods[place].addresses
            if peer_matches(self.cluster, "", (block,), PodEnd(self.cluster.pods[place], address))
        }
        return tuple(found[place] for place in sorted(found))

    @cached_property
    def _unassigned(self) -> frozenset[int]:
        """The places of the pods that have no address yet."""
        pods = enumerate(self.cluster.pods)
        return frozenset(place for place, pod in pods if any(map(is_placeholder, pod.addresses)))

    @cached_property
    def _by_address(self) -> Sequence[tuple[int, int, int]]:
        """The family and number of each address of the pods, sorted, each with the pod's place."""
        return sorted(
            (*host_prefix(address)[:2], place)
            for place, pod in enumerate(self.cluster.pods)
            for address in pod.addresses
        )
