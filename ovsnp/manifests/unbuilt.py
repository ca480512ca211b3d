"""Kustomizations that would change the policies that they list: ovsnp would read another policy than is meant."""

import os
from collections.abc import Callable, Collection, Iterable, Iterator

from ovsnp.errors import Place
from ovsnp.manifests.inventory import Inventory
from ovsnp.manifests.kustomization import Kustomization, absolute
from ovsnp.manifests.no_manifests import CHANGED_POLICIES
from ovsnp.manifests.objects import ApiObject, as_outline
from ovsnp.manifests.passed_over import PassedOver
from ovsnp.yaml_reader.report import DEFAULT_NAMESPACE, MistakeReport

_NOWHERE = frozenset({"Node", "ServiceCIDR"})
"""Kinds that ovsnp reads and that have no namespace."""


def refuse_unbuilt(
    passed_over: PassedOver, inventory: Inventory, meant: Collection[str], report: MistakeReport
) -> None:
    """Report each kustomization that would change a listed policy, or move it to another namespace.

    Files in ``meant`` are left out: a file that the user names is read as it is.
    """
    if not passed_over.kustomizations:
        return
    listed = _Listed(passed_over, inventory, frozenset(meant))
    for file, kustomization in passed_over.kustomizations.items():
        if file not in listed.meant and (field := listed.changing(kustomization)):
            report.begin(Place(file, kustomization.document), None)
            report.add((field,), CHANGED_POLICIES.format(passed_over.directory_of(file)))


class _Listed:
    """The objects that the kustomizations list, in the files that are read."""

    def __init__(self, passed_over: PassedOver, inventory: Inventory, meant: frozenset[str]) -> None:
        self.meant = meant
        self._read = frozenset(map(absolute, passed_over.files))
        self._kustomizations: dict[str, list[Kustomization]] = {}
        for file, kustomization in passed_over.kustomizations.items():
            self._kustomizations.setdefault(os.path.dirname(absolute(file)), []).append(kustomization)
        self._objects: dict[str, list[tuple[str, ApiObject]]] = {}
        for kind, objects in inventory.objects.items():
            for item in objects if kind not in _NOWHERE else ():
                if item.place.file not in meant:
                    self._objects.setdefault(absolute(item.place.file), []).append((kind, item))
        self._policies = frozenset(
            file for file, objects in self._objects.items() if any(kind == "NetworkPolicy" for kind, _ in objects)
        )

    def changing(self, kustomization: Kustomization) -> str | None:
        """The field with which a kustomization changes policies among its parts; None if it changes none."""
        files = self._files_of(kustomization)
        if self._policies.isdisjoint(files):
            return None
        own = self._change(kustomization, files)
        components = self._closure(kustomization, lambda each: each.components)
        return own or ("components" if any(self._change(each, files) for each in components) else None)

    def _change(self, kustomization: Kustomization, files: Collection[str]) -> str | None:
        """The field with which the kustomization itself changes policies, where policies are among ``files``."""
        if namespace := kustomization.namespace:
            objects = (each for file in files for each in self._objects.get(file, ()))
            if any(_namespace_of(kind, item) != namespace for kind, item in objects):
                return "namespace"
        return kustomization.changing or next(
            (field for field, path in kustomization.merged if path not in self._read or path in self._policies), None
        )

    def _files_of(self, kustomization: Kustomization) -> set[str]:
        """The files that a kustomization lists, and those that the kustomizations that it is built from list."""
        built_of = [kustomization, *self._closure(kustomization, lambda each: each.parts)]
        return {part for each in built_of for part in each.parts}

    def _closure(
        self, kustomization: Kustomization, parts_of: Callable[[Kustomization], Iterable[str]]
    ) -> Iterator[Kustomization]:
        """The kustomizations among the parts of a kustomization, and among the parts of these."""
        seen: set[str] = set()
        rest = [*parts_of(kustomization)]
        while rest:
            part = rest.pop()
            if part not in seen:
                seen.add(part)
                for each in self._kustomizations.get(part, ()):
                    yield each
                    rest += parts_of(each)


def _namespace_of(kind: str, item: ApiObject) -> object:
    """The namespace that an object states; for a Namespace, its name."""
    value = as_outline(item.body).value
    metadata = value.get("metadata") if isinstance(value, dict) else None
    if not isinstance(metadata, dict):
        return None
    return metadata.get("name") if kind == "Namespace" else metadata.get("namespace") or DEFAULT_NAMESPACE
