"""The fields of a kustomization that concern the files around it; ovsnp does not build kustomizations."""

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ovsnp.manifests.no_manifests import is_policy_kind
from ovsnp.yaml_reader.json_text import outline_json
from ovsnp.yaml_reader.notation import Documents, read_documents

_PATCHES = ("patches", "patchesStrategicMerge", "patchesJson6902")
_PARTS = ("resources", "bases", "components")
_LISTING = frozenset({"apiVersion", "kind", "metadata", "resources"})
_OF_SELECTORS = ("includeSelectors", "includeTemplates", "fields")
"""If one of these fields is set, ``labels`` are also labels of pods, or values of selectors."""

_SIMPLE = re.compile(r"\^?\(?[\w|.*+?-]+\)?\$?")
_MOST_REPEATED = 4
"""Names with alternatives, at most one group that is not repeated, and so many repetitions."""


class Kustomization(NamedTuple):
    """The content of a kustomization, which is document number ``document`` of its file.

    ``patches`` and ``resources`` are the files in the fields of these names, ``parts`` all files and directories that
    it is built from, ``components`` those that change the others. ``only_lists`` is true if it only lists files of its
    own directory. ``namespace`` replaces the namespace of every object; None leaves the objects where they are.
    ``changing`` is a field that may change any policy, or the pods that a policy selects. ``merged`` are the files with
    patches that name their objects themselves, each after the field that names the file.
    """

    document: int
    patches: frozenset[str]
    resources: frozenset[str]
    parts: frozenset[str]
    components: frozenset[str]
    only_lists: bool
    namespace: Any
    changing: str | None
    merged: tuple[tuple[str, str], ...]


def read_kustomization(file: str, data: bytes) -> Kustomization:
    """The content of a kustomization; a field in an unknown form names no files."""
    values = _values(read_documents(file, data))
    found = ((number, value) for number, value in enumerate(values) if isinstance(value, dict))
    document, fields = next(found, (0, {}))
    directory = os.path.dirname(file)

    def named(*names: str) -> frozenset[str]:
        return frozenset(absolute(path, directory) for name in names for path in _paths(_entries(fields, name)))

    resources = named("resources")
    inside = all(_is_inside(directory, path) for path in resources)
    return Kustomization(
        document,
        named(*_PATCHES),
        resources,
        named(*_PARTS),
        named("components"),
        inside and fields.keys() <= _LISTING,
        fields.get("namespace") or None,
        next((name for name, changes in _changes(fields) if changes), None),
        tuple((name, absolute(path, directory)) for name in _PATCHES for path in _paths(_without_target(fields, name))),
    )


def _values(documents: Documents) -> list[Any]:
    return [*(outline_json(each.text).value for each in documents.json), *(each.value for each in documents.yaml)]


def absolute(path: str, directory: str = "") -> str:
    """A path in absolute form, so that paths can be compared."""
    return os.path.abspath(os.path.join(directory, path))


def _entries(fields: Mapping[Any, Any], name: str) -> list[Any]:
    entries = fields.get(name)
    return entries if isinstance(entries, list) else []


def _paths(entries: list[Any]) -> Iterator[str]:
    """The files that a list names, as text or as ``path`` of a mapping."""
    for entry in entries:
        path = entry.get("path") if isinstance(entry, dict) else entry
        if isinstance(path, str) and "\n" not in path:  # several lines are the text of a patch
            yield path


def _is_inside(directory: str, path: str) -> bool:
    """True if a path exists below a directory; a URL does not exist as a path."""
    outside = os.path.relpath(path, directory or ".").startswith(os.pardir)
    return not outside and os.path.exists(path)


def _changes(fields: Mapping[Any, Any]) -> Iterator[tuple[str, bool]]:
    """The fields that change objects of several kinds; True if one may change policies or the pods that they select."""
    yield "commonLabels", bool(fields.get("commonLabels"))
    labels = (each for each in _entries(fields, "labels") if isinstance(each, dict))
    yield "labels", any(each.get(name) for each in labels for name in _OF_SELECTORS)
    for name in _PATCHES:
        yield name, any(map(_may_patch_policy, _entries(fields, name)))
    yield "replacements", any(map(_may_replace_in_policy, _entries(fields, "replacements")))
    yield "transformers", bool(fields.get("transformers"))


def _without_target(fields: Mapping[Any, Any], name: str) -> list[Any]:
    return [each for each in _entries(fields, name) if not (isinstance(each, dict) and each.get("target"))]


def _may_patch_policy(entry: Any) -> bool:
    """True if a patch may change a policy, by its target or its text; the text of a file is not read."""
    if isinstance(entry, dict):
        if entry.get("target"):
            return _may_select_policy(entry["target"])
        entry = entry.get("patch")
    return isinstance(entry, str) and _may_hold_policy(entry)


def _may_hold_policy(text: str) -> bool:
    """True if the text of a patch may be that of a policy; the name of a file is no object."""
    documents = read_documents("", text.encode("utf-8", "replace"))
    if documents.mistake:
        return True
    kinds = [value.get("kind") for value in _values(documents) if isinstance(value, dict)]
    return any(not isinstance(kind, str) or is_policy_kind(kind) or kind.endswith("List") for kind in kinds)


def _may_replace_in_policy(entry: Any) -> bool:
    targets = entry.get("targets") if isinstance(entry, dict) else None
    if not isinstance(targets, list):
        return True
    return any(not isinstance(each, dict) or _may_select_policy(each.get("select")) for each in targets)


def _may_select_policy(selector: Any) -> bool:
    """True if a selector of objects may select a policy; its kind is a regular expression, absent means any kind.

    Kustomize matches in linear time, and Python does not: an expression that is not simple is not tried.
    """
    kind = selector.get("kind") if isinstance(selector, dict) else None
    if not isinstance(kind, str) or not _SIMPLE.fullmatch(kind) or sum(map(kind.count, "*+?")) > _MOST_REPEATED:
        return True
    try:
        return re.fullmatch(kind, "NetworkPolicy") is not None
    except (re.error, RecursionError, OverflowError):
        return True
