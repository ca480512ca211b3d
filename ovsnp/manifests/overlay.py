"""Objects that are applied to a cluster: they replace the cluster's objects of the same name."""

from collections.abc import Mapping
from typing import Any

import msgspec

from ovsnp.manifests.inventory import Inventory
from ovsnp.manifests.objects import ApiObject, as_outline
from ovsnp.yaml_reader.outline import Outline
from ovsnp.yaml_reader.report import DEFAULT_NAMESPACE

_Way = tuple[str, ...]

_KEPT: Mapping[str, tuple[_Way, ...]] = {
    "Node": (("spec", "podCIDR"), ("spec", "podCIDRs")),
    "Pod": (("spec", "nodeName"),),
    "Service": (("spec", "clusterIP"), ("spec", "clusterIPs")),
}
"""The fields that the API server fills in, and keeps if an object that is applied lacks them. It keeps every status."""


class _Metadata(msgspec.Struct, gc=False):
    name: str | None = None
    namespace: str | None = None


class _Named(msgspec.Struct, gc=False):
    metadata: _Metadata | None = None


_decode_name = msgspec.json.Decoder(_Named).decode


def apply_over(applied: Inventory, cluster: Inventory) -> None:
    """Add to ``applied`` the objects of ``cluster`` that it does not replace, as the API server would keep them."""
    for kind, under in cluster.objects.items():
        over = applied.objects[kind]
        places = {_name(each): index for index, each in enumerate(over)} if over else {}
        for each in under:
            index = places.get(_name(each)) if places else None
            if index is None:
                over.append(each)
            else:
                over[index] = _kept(kind, over[index], each)


def _name(item: ApiObject) -> tuple[str, str] | None:
    """The namespace and the name of an object; None if it has no name that can be read."""
    try:
        if isinstance(item.body, msgspec.Raw):
            found = _decode_name(item.body)
        else:
            found = msgspec.convert(item.body.value, _Named)
    except (msgspec.MsgspecError, RecursionError):
        return None
    metadata = found.metadata or _Metadata()
    return (metadata.namespace or DEFAULT_NAMESPACE, metadata.name) if metadata.name else None


def _kept(kind: str, applied: ApiObject, known: ApiObject) -> ApiObject:
    """An applied object with the fields that the API server keeps."""
    ways = _KEPT.get(kind, ())
    outline, before = as_outline(applied.body), as_outline(known.body).value
    if not ways or not isinstance(outline.value, dict) or not isinstance(before, dict):
        return applied
    value = {name: inner for name, inner in outline.value.items() if name != "status"}
    if "status" in before:
        value["status"] = before["status"]
    for way in ways:
        _fill(value, before, way)
    return ApiObject(applied.place, Outline(value, outline.lines, outline.faults))


def _fill(value: dict[str, Any], before: dict[str, Any], way: _Way) -> None:
    """Copy a field of ``before`` that ``value`` lacks."""
    outer, field = way
    known, written = before.get(outer), value.get(outer)
    if isinstance(known, dict) and field in known and isinstance(written, dict) and not written.get(field):
        value[outer] = {**written, field: known[field]}
