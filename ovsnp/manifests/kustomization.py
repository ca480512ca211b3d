"""What a kustomization says of the files around it; ovsnp does not build it."""

import os
from collections.abc import Iterator
from typing import Any, NamedTuple

from ovsnp.manifests.text.json_text import outline_json
from ovsnp.manifests.text.notation import read_documents

_PATCHES = ("patches", "patchesStrategicMerge", "patchesJson6902")
_LISTING = frozenset({"apiVersion", "kind", "metadata", "resources"})


class Kustomization(NamedTuple):
    """The files that it names as patches and as resources, and whether all it does is to list files of its own."""

    patches: frozenset[str]
    resources: frozenset[str]
    only_lists: bool


def read_kustomization(file: str, data: bytes) -> Kustomization:
    """What a kustomization's text says; what it says in no known way names no files."""
    documents = read_documents(file, data)
    values = [*(outline_json(each.text).value for each in documents.json), *(each.value for each in documents.yaml)]
    fields: dict[Any, Any] = next((value for value in values if isinstance(value, dict)), {})
    directory = os.path.dirname(file)
    patches = frozenset(_beside(directory, path) for field in _PATCHES for path in _paths(fields.get(field)))
    resources = frozenset(_beside(directory, path) for path in _paths(fields.get("resources")))
    inside = all(_is_inside(directory, path) for path in resources)
    return Kustomization(patches, resources, inside and fields.keys() <= _LISTING)


def _paths(entries: Any) -> Iterator[str]:
    """The files that a list names, each as text or by its ``path``."""
    for entry in entries if isinstance(entries, list) else ():
        path = entry.get("path") if isinstance(entry, dict) else entry
        if isinstance(path, str):
            yield path


def _beside(directory: str, path: str) -> str:
    return os.path.normpath(os.path.join(directory, path))


def _is_inside(directory: str, path: str) -> bool:
    """Whether a path leads to something below a directory; addresses of other places lead nowhere."""
    outside = os.path.relpath(path, directory or ".").startswith(os.pardir)
    return not outside and os.path.exists(path)
