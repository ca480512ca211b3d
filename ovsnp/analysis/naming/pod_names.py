"""Names of pods: a pod's own name, a workload, a label selector, a namespace, or the heading of a row of the matrix."""

from collections import defaultdict
from collections.abc import Iterator

import msgspec

from ovsnp.analysis.naming.absent import no_pod, no_workload
from ovsnp.analysis.naming.ends import DEFAULT_NAMESPACE, full_key
from ovsnp.analysis.naming.label_selectors import is_selector, read_selector
from ovsnp.analysis.naming.matrix_headings import Rows
from ovsnp.analysis.naming.near_names import advice, either, nearest
from ovsnp.analysis.reach.workloads import by_workload
from ovsnp.errors import UsageError
from ovsnp.model.cluster import Cluster, Pod, Workload
from ovsnp.oracle import selects

_POD = "pod"
_KINDS = {
    kind: kind
    for kind in (
        *("deployment", "statefulset", "daemonset", "replicaset", "replicationcontroller", "job", "cronjob"),
        *("rollout", "deploymentconfig"),
    )
}
_KINDS |= {"deploy": "deployment", "sts": "statefulset", "ds": "daemonset", "rs": "replicaset", "cj": "cronjob"}
_KINDS |= {"ro": "rollout", "dc": "deploymentconfig"}
_KINDS |= {"rc": "replicationcontroller", "po": _POD, _POD: _POD}
"""The kinds by each name that kubectl takes."""


class NamedPods(msgspec.Struct, frozen=True):
    """Some pods, at least one, and a name for all of them."""

    name: str
    pods: tuple[Pod, ...]


class PodNames:
    """The names of a cluster's pods."""

    def __init__(self, cluster: Cluster, rows: Rows) -> None:
        self._cluster, self._rows = cluster, rows
        self._pods = {pod.key: pod for pod in cluster.pods}
        self._workloads = {each: tuple(pods) for each, pods in sorted(by_workload(cluster.pods).items())}
        self._named: dict[str, list[Workload]] = defaultdict(list)
        for workload in self._workloads:
            self._named[f"{workload.namespace}/{workload.name}"].append(workload)

    def read(self, text: str) -> NamedPods:
        """The pods with this name; raises UsageError where there are none, or where the name is ambiguous."""
        if is_selector(text):
            return self._selected(text)
        if text.endswith(("/", "/*")):
            return self._of_namespace(text.rpartition("/")[0])
        found = self._meanings(text)
        if len(found) > 1:
            raise UsageError(f"{text} may mean {either(sorted(each.name for each in found))}; write which")
        if not found:
            raise UsageError(self._nobody(text))
        return found[0]

    def every(self) -> Iterator[str]:
        """Every name that `read` takes, except selectors; one name for each meaning replaces an ambiguous name."""
        of_rows = (key for key in self._rows.workloads if not key.endswith("]"))  # those with ] are headings only
        for key in sorted({*self._pods, *self._named, *of_rows}):
            if len(found := self._meanings(key)) > 1:
                yield from (each.name for each in found)
                continue
            if key.startswith(f"{DEFAULT_NAMESPACE}/"):
                yield key.removeprefix(f"{DEFAULT_NAMESPACE}/")
            yield key
        yield from (workload.key for workload in self._workloads)
        yield from (f"{namespace}/" for namespace in sorted({pod.namespace for pod in self._cluster.pods}))

    def knows(self, text: str) -> bool:
        """True if a name that is no selector is the name of pods."""
        return any(True for _ in self._candidates(text))

    def _meanings(self, text: str) -> list[NamedPods]:
        """All meanings of a name; the same pods only once."""
        found: dict[frozenset[str], NamedPods] = {}
        for each in self._candidates(text):
            found.setdefault(frozenset(pod.key for pod in each.pods), each)
        return [*found.values()]

    def _candidates(self, text: str) -> Iterator[NamedPods]:
        """All meanings of a name, with an unambiguous name for each meaning."""
        kind, rest = _kind(text)
        if kind == _POD and (pod := self._pods.get(full_key(rest))):
            yield NamedPods(f"{_POD}/{pod.key}" if pod.key in self._named else pod.key, (pod,))
        elif kind:
            for workload in self._named.get(full_key(rest), ()):
                if workload.kind.lower() == kind:
                    yield NamedPods(workload.key, self._workloads[workload])
        if text.count("/") > 1:
            return
        key = full_key(text)
        workloads = self._named.get(key, ())
        for workload in workloads:
            yield NamedPods(workload.key, self._workloads[workload])
        if pod := self._pods.get(key):
            yield NamedPods(f"{_POD}/{key}" if workloads or kind else key, (pod,))
        elif not workloads and key in self._rows.workloads:
            yield NamedPods(key, tuple(self._rows.workloads[key]))

    def _selected(self, text: str) -> NamedPods:
        asked = read_selector(text, self._cluster.namespaces)
        namespace = self._namespace(asked.namespace) if asked.namespace is not None else DEFAULT_NAMESPACE
        inside = [pod for pod in self._cluster.pods if pod.namespace == namespace]
        found = tuple(pod for pod in inside if selects(asked.selector, pod.labels))
        if found:
            return NamedPods(f"{namespace}/{asked.selector}", found)
        for pod in (*self._cluster.host_pods, *self._cluster.ended_pods):
            if pod.namespace == namespace and selects(asked.selector, pod.labels):
                raise UsageError(no_pod(self._cluster, pod.key))
        labels = {f"{key}={value}" for pod in inside for key, value in pod.labels.items()}
        hint = advice(nearest(str(asked.selector), labels), labels, "labels of pods there")
        raise UsageError(f"no pod of namespace {namespace} has {asked.selector}; {hint}")

    def _of_namespace(self, namespace: str) -> NamedPods:
        found = tuple(pod for pod in self._cluster.pods if pod.namespace == self._namespace(namespace))
        if not found:
            spaces = {pod.namespace for pod in self._cluster.pods}
            hint = advice([f"{each}/" for each in nearest(namespace, spaces)], spaces, "namespaces with pods")
            raise UsageError(f"namespace {namespace} has no pods; {hint}")
        return NamedPods(f"{namespace}/*", found)

    def _namespace(self, name: str) -> str:
        spaces = self._cluster.namespaces
        if name not in spaces:
            raise UsageError(f"there is no namespace {name}; {advice(nearest(name, spaces), spaces, 'namespaces')}")
        return name

    def _nobody(self, text: str) -> str:
        kind, rest = _kind(text)
        if kind == _POD:
            return no_pod(self._cluster, full_key(rest))
        if kind:
            return no_workload(self._cluster, kind, full_key(rest), [each.key for each in self._workloads])
        return no_pod(self._cluster, full_key(text))


def _kind(text: str) -> tuple[str, str]:
    """The kind at the beginning of a name, empty where there is none, and the rest of the name."""
    first, slash, rest = text.partition("/")
    kind = _KINDS.get(first.lower(), "") if slash else ""
    return kind, rest if kind else text
