"""Chooses the pods of a lab: few pods, on which the effect of the policies can be seen.

Needs are met in order of importance: first every policy gets a subject, then peers that it admits, then a pod that it
does not admit, then Services get endpoints, then a second node gets a pod. A pod is added only for a need that no pod
of the lab meets yet. The choice depends on the cluster and the limit alone.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from ovsnp.model.address import FAMILIES, Address, family
from ovsnp.model.cluster import Cluster, Pod
from ovsnp.model.policy import Direction, NetworkPolicy, PodPeer, Rule
from ovsnp.model.selector import Selector
from ovsnp.oracle import PodEnd, affects, peer_matches, selects
from ovsnp.oracle.selection import Workloads

_FEWEST_NODES = 2
"""With two nodes connections cross the tunnel. Once the lab has that many, it prefers pods of the nodes that it has."""


class Chosen(NamedTuple):
    """The pods of the lab, in the cluster's order; the policies that select one of them; the needs without room."""

    pods: tuple[Pod, ...]
    policies: tuple[NetworkPolicy, ...]
    unmet: tuple[str, ...]


class _Need(NamedTuple):
    """A need for one pod: the words for it where there is no room, the pods to choose from, and the condition."""

    what: str
    among: Sequence[Pod]
    fits: Callable[[Pod], bool]


def choose(cluster: Cluster, most: int) -> Chosen:
    """Choose at most ``most`` pods."""
    choice = _Choice(cluster, most)
    if len(cluster.pods) > most:
        choice.meet(choice.subjects())
        choice.meet(choice.admitted())
        choice.meet(choice.denied())
        choice.meet(choice.endpoints())
        choice.meet(choice.on_other_nodes())
    else:
        choice.pods = {pod.key: pod for pod in cluster.pods}
    pods = tuple(pod for pod in cluster.pods if pod.key in choice.pods)
    policies = tuple(policy for policy in cluster.policies if any(_is_subject(policy, pod) for pod in pods))
    return Chosen(pods, policies, tuple(dict.fromkeys(choice.unmet)))


class _Choice:
    def __init__(self, cluster: Cluster, most: int) -> None:
        self._cluster = cluster
        self._most = most
        self._by_namespace: dict[str, list[Pod]] = defaultdict(list)
        for pod in cluster.pods:
            self._by_namespace[pod.namespace].append(pod)
        # The rarer family first: a pod with an address of it mostly has the other family too, and meets both needs.
        self._families = sorted(FAMILIES, key=lambda version: sum(_has(pod, version) for pod in cluster.pods))
        self.pods: dict[str, Pod] = {}
        self.unmet: list[str] = []

    def meet(self, needs: Iterator[_Need]) -> None:
        """Add a pod for each need that no pod of the lab meets yet."""
        for need in needs:
            if any(map(need.fits, self.pods.values())):
                continue
            if (pod := self._first(need)) is None:
                continue
            if len(self.pods) < self._most:
                self.pods[pod.key] = pod
            else:
                self.unmet.append(need.what)

    def _first(self, need: _Need) -> Pod | None:
        """The first pod that fits and whose node suits, else the first pod that fits."""
        used = {pod.node for pod in self.pods.values()}
        spread = len(used) < _FEWEST_NODES
        suiting = (pod for pod in need.among if (pod.node in used) is not spread and need.fits(pod))
        return next(suiting, None) or next(filter(need.fits, need.among), None)

    def subjects(self) -> Iterator[_Need]:
        """For each policy and family, a pod that the policy selects."""
        for policy in self._cluster.policies:
            for version in self._families:
                yield _Need(f"a pod of {policy.key}", self._by_namespace[policy.namespace], _subject(policy, version))

    def admitted(self) -> Iterator[_Need]:
        """For each selector of each rule and each family, a pod that the selector admits."""
        for policy, direction, version in self._judged():
            for index, rule in enumerate(policy.rules(direction)):
                for peer in rule.peers:
                    if isinstance(peer, PodPeer):
                        what = f"a peer of {policy.key} {direction.section}[{index}]"
                        yield _Need(what, self._among(policy, peer), self._other(policy, version, [Rule((peer,))]))

    def denied(self) -> Iterator[_Need]:
        """For each policy, direction and family, a pod that no rule of the policy admits."""
        for policy, direction, version in self._judged():
            fits = self._other(policy, version, policy.rules(direction), admitted=False)
            yield _Need(f"a pod that {policy.key} does not admit", self._cluster.pods, fits)

    def endpoints(self) -> Iterator[_Need]:
        """For each Service, a pod that is an endpoint of it."""
        for service, serving in serving_addresses(self._cluster).items():
            yield _Need(f"an endpoint of Service {service}", self._cluster.pods, _serves(serving))

    def on_other_nodes(self) -> Iterator[_Need]:
        """A pod on a second node, where the lab has fewer than two nodes."""
        used = {pod.node for pod in self.pods.values()}
        if len(used) < _FEWEST_NODES:
            yield _Need("a pod of a second node", self._cluster.pods, lambda pod: pod.node not in used)

    def _judged(self) -> Iterator[tuple[NetworkPolicy, Direction, int]]:
        """The policies with a subject in the lab, with each direction that they affect and each family of a subject."""
        for policy in self._cluster.policies:
            for version in self._families:
                if any(map(_subject(policy, version), self.pods.values())):
                    yield from ((policy, each, version) for each in Direction if affects(policy, each))

    def _other(
        self, policy: NetworkPolicy, version: int, rules: Sequence[Rule], *, admitted: bool = True
    ) -> Callable[[Pod], bool]:
        """The condition that a pod is not the policy's only subject, and that these rules admit it (or do not)."""
        subjects = [pod.key for pod in self.pods.values() if _is_subject(policy, pod)]
        # A pod always reaches itself, so a policy's only subject cannot serve as its peer.
        only = subjects[0] if len(subjects) == 1 else None

        def fits(pod: Pod) -> bool:
            address = next((each for each in pod.addresses if family(each) == version), None)
            if address is None or pod.key == only:
                return False
            end = PodEnd(pod, address)
            return admitted is any(peer_matches(self._cluster, policy.namespace, rule.peers, end) for rule in rules)

        return fits

    def _among(self, policy: NetworkPolicy, peer: PodPeer) -> Sequence[Pod]:
        if peer.namespace_selector is None:
            return self._by_namespace[policy.namespace]
        namespaces = self._cluster.namespaces.values()
        wanted = [each.name for each in namespaces if selects(peer.namespace_selector, each.labels)]
        return [pod for name in wanted for pod in self._by_namespace[name]]


def serving_addresses(cluster: Cluster) -> dict[str, frozenset[Address]]:
    """The addresses of the endpoints of each Service, by the Service's key: from EndpointSlices, else by selector."""
    by_slices: dict[str, set[Address]] = defaultdict(set)
    for each in cluster.slices:
        by_slices[f"{each.namespace}/{each.service}"].update(endpoint.address for endpoint in each.endpoints)
    workloads = Workloads(cluster)
    return {
        service.key: frozenset(by_slices[service.key])
        if service.key in by_slices or service.selector is None
        else _selected(workloads, service.namespace, service.selector)
        for service in cluster.services
    }


def _selected(workloads: Workloads, namespace: str, selector: Selector) -> frozenset[Address]:
    numbers = workloads.of_namespace(namespace, selector)
    return frozenset(address for number in numbers for pod in workloads.groups[number] for address in pod.addresses)


def _serves(serving: frozenset[Address]) -> Callable[[Pod], bool]:
    return lambda pod: not serving.isdisjoint(pod.addresses)


def _has(pod: Pod, version: int) -> bool:
    return any(family(address) == version for address in pod.addresses)


def _is_subject(policy: NetworkPolicy, pod: Pod) -> bool:
    return policy.namespace == pod.namespace and selects(policy.pod_selector, pod.labels)


def _subject(policy: NetworkPolicy, version: int) -> Callable[[Pod], bool]:
    return lambda pod: _has(pod, version) and _is_subject(policy, pod)
