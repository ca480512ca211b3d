"""Workloads: the pods that they will have, and the workload that owns a pod.

A Deployment owns ReplicaSets, and these own pods. The topmost owner counts, as it outlives the others.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from ovsnp.errors import Place
from ovsnp.manifests.kinds import wire
from ovsnp.manifests.kinds.read_kinds import WORKLOADS
from ovsnp.manifests.kinds.syntax import subdomain_fault
from ovsnp.manifests.kinds.unique import NAME, another_counts
from ovsnp.model.cluster import Workload
from ovsnp.yaml_reader.paths import Path
from ovsnp.yaml_reader.report import MistakeReport, Subject

_HASH = "pod-template-hash"
"""The label that distinguishes the ReplicaSets of a Deployment; the name of a ReplicaSet ends with its value."""


class Template(NamedTuple):
    """The pod template of a workload, at ``path`` in the object at ``place``; ``owner`` controls the workload.

    ``ended`` is true for a Job that has completed: it makes no more pods.
    """

    workload: Workload
    owner: Workload | None
    pod: wire.ApiPodTemplate
    path: Path
    place: Place
    ended: bool


def read_template(workload: Workload, written: wire.ApiWorkload | wire.ApiCronJob, place: Place) -> Template:
    """The template of a workload that has one."""
    path: Path = ("spec", "template")
    ended = False
    if isinstance(written, wire.ApiCronJob):
        path = ("spec", "jobTemplate", *path)
    else:
        ended = bool(written.status and written.status.completion_time)
    owner = owner_of(written.metadata, workload.namespace)
    return Template(workload, owner, written.pod_template or wire.ApiPodTemplate(), path, place, ended)


def owner_of(metadata: wire.ApiMetadata | None, namespace: str) -> Workload | None:
    """The workload that controls an object, by ``ownerReferences``; None if no kind that ovsnp reads does.

    The API server takes any name of an owner, and whoever makes a pod chooses it: one that no object can have is none.
    """
    for reference in (metadata and metadata.owner_references) or ():
        if not reference or not reference.controller or not reference.kind or not reference.name:
            continue
        if reference.kind in WORKLOADS and not subdomain_fault(reference.name):
            return Workload(reference.kind, namespace, reference.name)
    return None


class Owners:
    """Finds the topmost owner of pods and workloads; shares equal owners, as thousands of pods have the same."""

    def __init__(self, templates: Iterable[Template]) -> None:
        self._above: Mapping[Workload, Workload] = {each.workload: each.owner for each in templates if each.owner}
        self._known: dict[tuple[Workload, str | None], Workload] = {}

    def of(self, metadata: wire.ApiMetadata | None, namespace: str) -> Workload | None:
        """The topmost owner of a pod; None if the pod has no owner."""
        owner = owner_of(metadata, namespace)
        if owner is None:
            return None
        labels = (metadata and metadata.labels) or {}
        key = owner, labels.get(_HASH)
        if key not in self._known:
            self._known[key] = _deployment(self.above(owner), key[1])
        return self._known[key]

    def above(self, workload: Workload) -> Workload:
        """The topmost owner of a workload, or the workload itself."""
        seen = {workload}
        while (owner := self._above.get(workload)) and owner not in seen:
            workload = owner
            seen.add(workload)
        return workload


def _deployment(owner: Workload, revision: str | None) -> Workload:
    """The Deployment that the name of a ReplicaSet shows, if the ReplicaSet is not in the input; else the owner."""
    if owner.kind == "ReplicaSet" and revision and owner.name.endswith(f"-{revision}"):
        return Workload("Deployment", owner.namespace, owner.name.removesuffix(f"-{revision}"))
    return owner


def lasting(
    templates: Iterable[Template], owners: Owners, with_pods: Collection[Workload], report: MistakeReport
) -> Iterator[tuple[Workload, Template]]:
    """The topmost workloads that will have pods and have none in the input, each with one template, sorted.

    Of several templates of one workload, one with labels counts: another may be a patch of it. A template that differs
    gets a note.
    """
    found: dict[Workload, list[Template]] = {}
    for each in templates:
        top = owners.above(each.workload)
        if top not in with_pods and not each.ended:
            found.setdefault(top, []).append(each)
    for workload, candidates in sorted(found.items()):
        own = [each for each in candidates if each.workload == workload] or candidates
        first = min(own, key=lambda each: (not _labels(each), each.place))
        for other in own:
            if other.workload == first.workload and other.pod != first.pod:
                report.begin(other.place, Subject(other.workload.kind, workload.namespace, other.workload.name))
                report.note(NAME, another_counts(first.place))
        yield workload, first


def _labels(template: Template) -> Mapping[str, str]:
    return (template.pod.metadata and template.pod.metadata.labels) or {}
