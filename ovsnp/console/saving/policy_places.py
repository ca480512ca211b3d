"""Finds a policy in the documents of a file by its name: its place may have changed since the file was read."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ovsnp.manifests.objects import generated_name
from ovsnp.yaml_reader.report import DEFAULT_NAMESPACE

_KIND, _VERSION = "NetworkPolicy", "networking.k8s.io/v1"

_Type = tuple[str, str]
"""A kind, and the version of its API group."""


class PolicyName(NamedTuple):
    """The namespace and the name of a policy."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{_KIND} {self.namespace}/{self.name}"


class InFile(NamedTuple):
    """The index of a document, and the indexes into Lists."""

    document: int
    items: tuple[int, ...]


def places_of(name: PolicyName, documents: Sequence[Any]) -> list[InFile]:
    """All policies of a name; ``documents`` are the values of a file. Other API groups have a NetworkPolicy, too."""
    return [
        place
        for number, value in enumerate(documents)
        for place, policy in _policies(value, InFile(number, ()))
        if name_of(policy) == name
    ]


def name_of(policy: Mapping[str, Any]) -> PolicyName | None:
    """The name of a policy as ovsnp reads it; None without a valid one."""
    metadata = policy.get("metadata")
    if not isinstance(metadata, dict):
        return None
    namespace, name, prefix = (metadata.get(field) for field in ("namespace", "name", "generateName"))
    if not name and isinstance(prefix, str):
        name = generated_name(prefix)
    namespace = namespace or DEFAULT_NAMESPACE
    return PolicyName(namespace, name) if isinstance(namespace, str) and isinstance(name, str) else None


def _policies(value: Any, place: InFile, outer: _Type = ("", "")) -> Iterator[tuple[InFile, dict[str, Any]]]:
    """The policies of an object and of the Lists in it; ``outer`` is the type of items that state none."""
    if not isinstance(value, dict):
        return
    kind, version = value.get("kind") or outer[0], value.get("apiVersion") or outer[1]
    if (kind, version) == (_KIND, _VERSION):
        yield place, value
    elif isinstance(kind, str) and kind.endswith("List") and isinstance(items := value.get("items"), list):
        inner = kind.removesuffix("List")
        for index, item in enumerate(items):
            yield from _policies(item, place._replace(items=(*place.items, index)), (inner, version if inner else ""))
