"""The cluster as the checks look at it: pods that are alike together, and what was asked once kept.

Whom a selector or a peer names, and which policies isolate a pod, is for the oracle to say.
"""

from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import TypeVar

import msgspec

from ovsnp.model.address import Prefix, family, host_prefix
from ovsnp.model.cluster import Cluster, Pod
from ovsnp.model.policy import Direction, IPBlock, NetworkPolicy, Peer, PodPeer
from ovsnp.model.ports import Protocol
from ovsnp.model.selector import Operator, Selector
from ovsnp.model.service import EndpointSlice, Service, ServicePort
from ovsnp.model.unassigned import is_placeholder
from ovsnp.oracle import PodEnd, ServingBackend, backends, peer_matches, selects
from ovsnp.oracle.indexed_oracle import IndexedOracle

_Item = TypeVar("_Item")
_Key = TypeVar("_Key", bound=Hashable)


class PodKind(msgspec.Struct, frozen=True):
    """The pods of a namespace with the same labels: selectors cannot tell them apart. There is at least one."""

    namespace: str
    labels: Mapping[str, str]
    pods: tuple[Pod, ...]


def grouped(items: Iterable[_Item], key: Callable[[_Item], _Key]) -> dict[_Key, tuple[_Item, ...]]:
    """The items by their key, in order."""
    found: dict[_Key, list[_Item]] = {}
    for item in items:
        found.setdefault(key(item), []).append(item)
    return {each: tuple(alike) for each, alike in found.items()}


def kinds_of(pods: Iterable[Pod]) -> Mapping[str, tuple[PodKind, ...]]:
    """The kinds of pods by their namespace."""
    alike = grouped(pods, lambda pod: (pod.namespace, frozenset(pod.labels.items())))
    kinds = (PodKind(namespace, same[0].labels, same) for (namespace, _), same in alike.items())
    return grouped(kinds, lambda kind: kind.namespace)


class _ByLabels:
    """Kinds of pods by their namespace and labels."""

    def __init__(self, kinds: Mapping[str, tuple[PodKind, ...]]) -> None:
        self._kinds = kinds
        self._by_label: dict[str, dict[tuple[str, str], list[PodKind]]] = {}
        for namespace, alike in kinds.items():
            labelled = self._by_label.setdefault(namespace, {})
            for kind in alike:
                for label in kind.labels.items():
                    labelled.setdefault(label, []).append(kind)

    def candidates(self, namespace: str, selector: Selector) -> Iterable[PodKind]:
        """The kinds worth asking about: where a selector wants a value of a label, those that have it."""
        for requirement in selector.requirements:
            if requirement.operator is Operator.IN:
                by_label = self._by_label.get(namespace, {})
                return chain.from_iterable(by_label.get((requirement.key, value), ()) for value in requirement.values)
        return self._kinds.get(namespace, ())

    def selected(self, namespace: str, selector: Selector) -> Iterator[PodKind]:
        """The kinds that a selector selects."""
        return (kind for kind in self.candidates(namespace, selector) if selects(selector, kind.labels))


class LintIndex:
    """A cluster, and the blocks cluster IPs lie in; ``strict_nodes`` and ``service_blocks`` as for the compiler."""

    def __init__(
        self,
        cluster: Cluster,
        service_cidrs: Sequence[Prefix] = (),
        *,
        strict_nodes: bool = False,
        service_blocks: bool = False,
    ) -> None:
        self.cluster = cluster
        self.service_cidrs = tuple(sorted({*cluster.service_cidrs, *service_cidrs}))
        self.strict_nodes = strict_nodes
        self.service_blocks = service_blocks
        self._selected: dict[tuple[str, Selector], tuple[PodKind, ...]] = {}
        self._named: dict[tuple[str, Peer], tuple[Pod, ...]] = {}
        self._port_names: dict[int, tuple[tuple[Pod, ...], frozenset[tuple[str, Protocol]]]] = {}

    @cached_property
    def kinds(self) -> Mapping[str, tuple[PodKind, ...]]:
        """The kinds of pods of every namespace that has pods."""
        return grouped(self._kinds, lambda kind: kind.namespace)

    @cached_property
    def _kinds(self) -> Sequence[PodKind]:
        """The oracle's groups, by their numbers."""
        return [PodKind(pods[0].namespace, pods[0].labels, tuple(pods)) for pods in self._oracle.workloads.groups]

    @cached_property
    def _oracle(self) -> IndexedOracle:
        return IndexedOracle(self.cluster)

    def hosts(self, namespace: str, selector: Selector) -> Iterator[PodKind]:
        """The kinds of pods of host networks that have the labels, though no selector selects them."""
        return self._hosts_by_labels.selected(namespace, selector)

    def ended(self, namespace: str, selector: Selector) -> Iterator[PodKind]:
        """The same of the pods that have ended."""
        return self._ended_by_labels.selected(namespace, selector)

    def living(self, namespace: str, selector: Selector) -> Iterator[PodKind]:
        """The kinds of pods of a namespace that a selector selects."""
        return (self._kinds[number] for number in sorted(self._oracle.workloads.of_namespace(namespace, selector)))

    @cached_property
    def has_living_pods(self) -> bool:
        """Whether the input has pods of a running cluster; manifests in Git have workloads only."""
        hosts = any(pod.addresses for pod in self.cluster.host_pods)
        return len(self._unassigned) < len(self.cluster.pods) or hosts or bool(self.cluster.ended_pods)

    @cached_property
    def policies(self) -> Mapping[str, tuple[NetworkPolicy, ...]]:
        """The policies of every namespace that has some."""
        return grouped(self.cluster.policies, lambda policy: policy.namespace)

    def selected(self, policy: NetworkPolicy) -> tuple[PodKind, ...]:
        """The kinds of pods that a policy selects."""
        asked = (policy.namespace, policy.pod_selector)
        if asked not in self._selected:
            self._selected[asked] = tuple(self.living(*asked))
        return self._selected[asked]

    def isolating(self, kind: PodKind, direction: Direction) -> tuple[NetworkPolicy, ...]:
        """The policies that isolate a kind of pods in a direction, in order."""
        return self._oracle.isolating(direction, kind.pods[0])

    def named(self, policy: NetworkPolicy, peer: Peer) -> tuple[Pod, ...]:
        """The pods that a peer of one of the policy's rules names."""
        own = isinstance(peer, PodPeer) and peer.namespace_selector is None
        # Only a peer that is about its own namespace means something else in another.
        asked = (policy.namespace if own else "", peer)
        if asked not in self._named:
            self._named[asked] = self._in_block(peer) if isinstance(peer, IPBlock) else self._by_selectors(policy, peer)
        return self._named[asked]

    def port_names(self, pods: tuple[Pod, ...]) -> frozenset[tuple[str, Protocol]]:
        """The names of ports that pods have, of one kind or named by one peer."""
        kept = self._port_names.get(id(pods))
        if kept is None or kept[0] is not pods:
            kept = pods, frozenset((port.name, port.protocol) for pod in pods for port in pod.ports)
            self._port_names[id(pods)] = kept
        return kept[1]

    def backends(self, service: Service) -> Iterator[tuple[ServicePort, ServingBackend]]:
        """Who serves at each port of a Service, in either family, whatever node a connection begins on."""
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
        """Family and number of every pod's addresses, sorted, each with the pod's place."""
        return sorted(
            (*host_prefix(address)[:2], place)
            for place, pod in enumerate(self.cluster.pods)
            for address in pod.addresses
        )

    @cached_property
    def _hosts_by_labels(self) -> _ByLabels:
        return _ByLabels(kinds_of(self.cluster.host_pods))

    @cached_property
    def _ended_by_labels(self) -> _ByLabels:
        return _ByLabels(kinds_of(self.cluster.ended_pods))
