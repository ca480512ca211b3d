"""Workloads whose labels a selector can take over, and labels to choose from."""

from collections import defaultdict
from collections.abc import Mapping
from itertools import chain
from typing import NamedTuple

from ovsnp.model.cluster import Cluster, Pod

_OF_CONTROLLERS = frozenset(
    {
        "pod-template-hash",
        "pod-template-generation",
        "controller-revision-hash",
        "controller-uid",
        "batch.kubernetes.io/controller-uid",
        "batch.kubernetes.io/job-completion-index",
        "apps.kubernetes.io/pod-index",
        "statefulset.kubernetes.io/pod-name",
    }
)
"""Labels that a controller gives to one pod or one revision: a selector with such a label selects too little."""

_KEYS = 100
"""The most keys to choose from."""

_VALUES = 50
"""The most values of a key to choose from."""


class LabelledWorkload(NamedTuple):
    """A workload, or a pod without one, and the labels that all its pods have."""

    kind: str
    name: str
    labels: Mapping[str, str]


def labelled_workloads(cluster: Cluster, namespace: str) -> list[LabelledWorkload]:
    """The workloads of a namespace, sorted by kind and name; pods of the host network do not count.

    A workload without pods has the labels of its template.
    """
    found: dict[tuple[str, str], dict[str, str]] = {}
    for pod in chain(cluster.pods, cluster.planned):
        if pod.namespace == namespace:
            own = _lasting(pod)
            key = (pod.workload.kind, pod.workload.name) if pod.workload else ("Pod", pod.name)
            shared = found.setdefault(key, own).items() & own.items()
            found[key] = {name: value for name, value in own.items() if (name, value) in shared}
    return [LabelledWorkload(*key, labels) for key, labels in sorted(found.items())]


def labels_of_pods(cluster: Cluster) -> dict[str, list[str]]:
    """The keys of the pods' labels with their values, to choose from: the first ones, sorted."""
    found: dict[str, set[str]] = defaultdict(set)
    for pod in chain(cluster.pods, cluster.planned):
        for key, value in _lasting(pod).items():
            found[key].add(value)
    return {key: sorted(found[key])[:_VALUES] for key in sorted(found)[:_KEYS]}


def _lasting(pod: Pod) -> dict[str, str]:
    return {key: value for key, value in pod.labels.items() if key not in _OF_CONTROLLERS}
