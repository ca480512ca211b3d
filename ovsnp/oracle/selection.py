"""Which pods selectors select, asked of many pods at once.

`selects` stays the one that knows; here pods with the same namespace and labels are asked as one, and a selector that
demands a label is asked only of those that have it.
"""

from collections import defaultdict
from collections.abc import Iterable

from ovsnp.model.cluster import Cluster, Pod
from ovsnp.model.policy import PodPeer
from ovsnp.model.selector import Operator, Selector
from ovsnp.oracle.selectors import selects

_ALL = Selector()


class Workloads:
    """The pods of a cluster in groups with the same namespace and labels; a group is named by its number."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        alike: dict[tuple[str, frozenset[tuple[str, str]]], list[Pod]] = defaultdict(list)
        for pod in cluster.pods:
            alike[pod.namespace, frozenset(pod.labels.items())].append(pod)
        self.groups = list(alike.values())
        self.of_pod = {pod.key: number for number, pods in enumerate(self.groups) for pod in pods}
        self._with_label: dict[tuple[str, str], set[int]] = defaultdict(set)
        self._in_namespace: dict[str, set[int]] = defaultdict(set)
        for number, (first, *_) in enumerate(self.groups):
            self._in_namespace[first.namespace].add(number)
            for label in first.labels.items():
                self._with_label[label].add(number)

    def of_namespace(self, namespace: str, selector: Selector) -> set[int]:
        """The groups of one namespace that a selector selects."""
        return self._selected(self._in_namespace.get(namespace, set()), selector)

    def of_peer(self, policy_namespace: str, peer: PodPeer) -> set[int]:
        """The groups that a peer names; ``policy_namespace`` is where its policy stands."""
        selector = peer.pod_selector or _ALL
        if peer.namespace_selector is None:
            return self.of_namespace(policy_namespace, selector)
        names = {
            name for name, space in self._cluster.namespaces.items() if selects(peer.namespace_selector, space.labels)
        }
        if len(names) == len(self._cluster.namespaces):
            return self._selected(range(len(self.groups)), selector)
        return self._selected({each for name in names for each in self._in_namespace.get(name, ())}, selector)

    def _selected(self, among: Iterable[int], selector: Selector) -> set[int]:
        candidates = set(among)
        for requirement in selector.requirements:
            if requirement.operator is Operator.IN:
                labels = ((requirement.key, value) for value in requirement.values)
                candidates &= set().union(*(self._with_label.get(label, set()) for label in labels))
        return {number for number in candidates if selects(selector, self.groups[number][0].labels)}
