"""Which pods selectors select."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from ovsnp.model.cluster import Namespace, Pod
from ovsnp.model.selector import Operator, Requirement, Selector


def matches(selector: Selector, labels: Mapping[str, str]) -> bool:
    """Whether all requirements hold; NotIn and DoesNotExist hold where the key is missing."""
    return all(_holds(requirement, labels) for requirement in selector.requirements)


def _holds(requirement: Requirement, labels: Mapping[str, str]) -> bool:
    value = labels.get(requirement.key)
    match requirement.operator:
        case Operator.IN:
            return value in requirement.values
        case Operator.NOT_IN:
            return value is None or value not in requirement.values
        case Operator.EXISTS:
            return value is not None
        case Operator.DOES_NOT_EXIST:
            return value is None


class Selection:
    """Answers selectors over some pods; asks each distinct set of labels once, and remembers."""

    def __init__(self, pods: Iterable[Pod], namespaces: Mapping[str, Namespace]) -> None:
        self._namespaces = namespaces
        self._pods: dict[str, list[Pod]] = defaultdict(list)
        for pod in pods:
            self._pods[pod.namespace].append(pod)
        self._workloads: dict[str, list[tuple[Mapping[str, str], list[Pod]]]] = {}
        self._selected: dict[tuple[str, Selector], tuple[Pod, ...]] = {}
        self._matching: dict[Selector, tuple[str, ...]] = {}

    def namespaces(self, selector: Selector) -> tuple[str, ...]:
        """Names of the namespaces whose labels match."""
        if selector not in self._matching:
            self._matching[selector] = tuple(
                name for name, namespace in self._namespaces.items() if matches(selector, namespace.labels)
            )
        return self._matching[selector]

    def pods(self, namespaces: Iterable[str], selector: Selector) -> Iterator[Pod]:
        """The pods in these namespaces whose labels match."""
        for namespace in namespaces:
            yield from self._pods_of(namespace, selector)

    def _pods_of(self, namespace: str, selector: Selector) -> tuple[Pod, ...]:
        key = namespace, selector
        if key not in self._selected:
            self._selected[key] = tuple(
                pod for labels, pods in self._workloads_of(namespace) if matches(selector, labels) for pod in pods
            )
        return self._selected[key]

    def _workloads_of(self, namespace: str) -> list[tuple[Mapping[str, str], list[Pod]]]:
        if namespace not in self._workloads:
            alike: dict[tuple[tuple[str, str], ...], list[Pod]] = defaultdict(list)
            for pod in self._pods[namespace]:
                alike[tuple(sorted(pod.labels.items()))].append(pod)
            self._workloads[namespace] = [(pods[0].labels, pods) for pods in alike.values()]
        return self._workloads[namespace]
