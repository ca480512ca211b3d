"""Selection of many pods at once.

`selects` decides; this module applies it once to all pods with the same namespace and labels, and applies a selector
that requires a label only to pods with that label.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from itertools import chain

from ovsnp.model.cluster import Cluster, Pod
from ovsnp.model.policy import PodPeer
from ovsnp.model.selector import Operator, Requirement, Selector
from ovsnp.oracle.selectors import selects

_ALL = Selector()
_DEMANDING = (Operator.IN, Operator.EXISTS)
_Numbers = Set[int] | range


class Labelled:
    """Things with labels; a thing is named by its number."""

    def __init__(self, labels: Sequence[Mapping[str, str]]) -> None:
        self._labels = labels
        self._with_label: dict[tuple[str, str], set[int]] = defaultdict(set)
        self._with_key: dict[str, set[int]] = defaultdict(set)
        for number, each in enumerate(labels):
            for label in each.items():
                self._with_label[label].add(number)
                self._with_key[label[0]].add(number)

    @property
    def all(self) -> range:
        """The numbers of all."""
        return range(len(self._labels))

    def selected(self, selector: Selector, among: _Numbers) -> set[int]:
        """Those of some things that a selector selects."""
        demanded = (self._demanded(each) for each in selector.requirements if each.operator in _DEMANDING)
        fewest = min([[among], *demanded], key=lambda parts: sum(map(len, parts)))
        return {number for number in chain(*fewest) if number in among and selects(selector, self._labels[number])}

    def _demanded(self, requirement: Requirement) -> list[_Numbers]:
        """The things with the label that a requirement demands, in parts."""
        if requirement.operator is Operator.EXISTS:
            return [self._with_key.get(requirement.key, set())]
        return [self._with_label.get((requirement.key, value), set()) for value in requirement.values]


class Workloads:
    """The pods of a cluster in groups of equal namespace and labels; results are numbers of groups."""

    def __init__(self, cluster: Cluster) -> None:
        alike: dict[tuple[str, frozenset[tuple[str, str]]], list[Pod]] = defaultdict(list)
        for pod in cluster.pods:
            alike[pod.namespace, frozenset(pod.labels.items())].append(pod)
        self.groups = list(alike.values())
        self.of_pod = {pod.key: number for number, pods in enumerate(self.groups) for pod in pods}
        self._labelled = Labelled([first.labels for first, *_ in self.groups])
        self._in_namespace: dict[str, set[int]] = defaultdict(set)
        for number, (first, *_) in enumerate(self.groups):
            self._in_namespace[first.namespace].add(number)
        self._namespaces = list(cluster.namespaces)
        self._spaces = Labelled([space.labels for space in cluster.namespaces.values()])
        self._in_spaces: dict[Selector, _Numbers] = {}

    def of_namespace(self, namespace: str, selector: Selector) -> set[int]:
        """The groups of one namespace that a selector selects."""
        return self._labelled.selected(selector, self._in_namespace.get(namespace, set()))

    def of_peer(self, policy_namespace: str, peer: PodPeer) -> set[int]:
        """The groups that a peer names; ``policy_namespace`` is the namespace of the peer's policy."""
        return self._labelled.selected(peer.pod_selector or _ALL, self.around(policy_namespace, peer))

    def around(self, policy_namespace: str, peer: PodPeer) -> _Numbers:
        """All groups of the namespaces that a peer is about."""
        if peer.namespace_selector is None:
            return self._in_namespace.get(policy_namespace, set())
        if peer.namespace_selector not in self._in_spaces:
            self._in_spaces[peer.namespace_selector] = self._find_in_spaces(peer.namespace_selector)
        return self._in_spaces[peer.namespace_selector]

    def _find_in_spaces(self, selector: Selector) -> _Numbers:
        names = self.namespaces(selector)
        if len(names) == len(self._namespaces):
            return self._labelled.all
        return {each for name in names for each in self._in_namespace.get(name, ())}

    def namespaces(self, selector: Selector) -> list[str]:
        """The namespaces that a selector selects."""
        return [self._namespaces[space] for space in self._spaces.selected(selector, self._spaces.all)]
