"""Groups pods by workload, and names the groups."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import takewhile

from ovsnp.model.cluster import Pod, Workload

_CONTROLLERS_OWN = frozenset(
    (
        "pod-template-hash",
        "pod-template-generation",
        "controller-revision-hash",
        "statefulset.kubernetes.io/pod-name",
        "apps.kubernetes.io/pod-index",
        "batch.kubernetes.io/job-completion-index",
        "batch.kubernetes.io/controller-uid",
        "controller-uid",
    )
)
"""Labels that a controller sets for each pod or each revision, so that pods of one workload differ in them
(https://kubernetes.io/docs/reference/labels-annotations-taints/)."""

_NAMES = ("app.kubernetes.io/name", "app", "k8s-app", "name")
"""Labels that by custom hold an application's name."""

_JOB_NAMES = ("batch.kubernetes.io/job-name", "job-name")
_ORDINAL = re.compile(r"-\d+")
_RANDOM = re.compile(r"-[a-z0-9]{5}")


def group(pods: Iterable[Pod]) -> dict[tuple[object, ...], list[Pod]]:
    """Group pods by workload: the same namespace, controller and named ports, and the same `lasting_labels`.

    Without ownerReferences, the controller is derived from the pods' labels and names.
    """
    found: dict[tuple[object, ...], list[Pod]] = defaultdict(list)
    for pod in pods:
        found[pod.namespace, lasting_labels(pod), pod.workload or controller(pod), pod.ports].append(pod)
    return found


def by_workload(pods: Iterable[Pod]) -> dict[Workload, list[Pod]]:
    """The pods that have an owner, by the topmost owner."""
    found: dict[Workload, list[Pod]] = defaultdict(list)
    for pod in pods:
        if pod.workload:
            found[pod.workload].append(pod)
    return found


def lasting_labels(pod: Pod) -> frozenset[tuple[str, str]]:
    """The labels of a pod that stay the same after the next roll-out."""
    return frozenset((key, value) for key, value in pod.labels.items() if key not in _CONTROLLERS_OWN)


def controller(pod: Pod) -> str | None:
    """The name of a pod's owner, or of the Deployment, StatefulSet, DaemonSet or Job that its labels and name point to.

    None where none of these gives a name.
    """
    if pod.workload:
        return pod.workload.name
    labels, name = pod.labels, pod.name
    revision = labels.get("pod-template-hash")
    if revision and f"-{revision}-" in name:
        return name.rpartition(f"-{revision}-")[0]
    if labels.get("statefulset.kubernetes.io/pod-name") == name:
        return _without(_ORDINAL, name)
    job = next((labels[key] for key in _JOB_NAMES if key in labels), None)
    if job:
        return job
    return _without(_RANDOM, name) if "controller-revision-hash" in labels else None


def _without(ending: re.Pattern[str], name: str) -> str | None:
    stem = name.rpartition("-")[0]
    return stem if stem and ending.fullmatch(name, len(stem)) else None


def name_of_workload(pods: Sequence[Pod]) -> str:
    """The name that a reader expects for these pods of one workload, without the namespace."""
    first = pods[0]
    name = controller(first) or next((first.labels[key] for key in _NAMES if first.labels.get(key)), None)
    if name:
        return name
    if len(pods) == 1:
        return first.name
    parts = zip(*(pod.name.split("-") for pod in pods), strict=False)
    shared = [same[0] for same in takewhile(lambda each: len(set(each)) == 1, parts)]
    return "-".join(shared) or f"{first.name}[+{len(pods) - 1}]"
