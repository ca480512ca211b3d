"""API objects, in JSON or as plain values, and how either is read as its type."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from ovsnp.errors import Place
from ovsnp.manifests.kinds import wire
from ovsnp.manifests.kinds.read_kinds import KINDS
from ovsnp.yaml_reader.json_text import outline_json
from ovsnp.yaml_reader.outline import Outline
from ovsnp.yaml_reader.paths import Fault
from ovsnp.yaml_reader.report import MistakeReport, Subject
from ovsnp.yaml_reader.structure import is_read, shape_faults

_DECODE: Mapping[str, Callable[[msgspec.Raw], Any]] = {
    kind: msgspec.json.Decoder(type_).decode for kind, type_ in KINDS.items()
}

_workload = msgspec.json.Decoder(wire.ApiWorkload).decode

_LONGEST_PREFIX = 58
"""How much of ``metadata.generateName`` the API server takes, so that a name fits into a label."""

OF_THE_TYPE = ((), ("kind",), ("apiVersion",))
"""Where a mistake of notation may hide what an object is; anywhere else it matters only to who reads the object."""


class ApiObject(NamedTuple):
    """An object of the input, not read yet: its text, or its value where it came as YAML or from the API."""

    place: Place
    body: msgspec.Raw | Outline


def read_object(kind: str, item: ApiObject, report: MistakeReport) -> Any:
    """An object as its type in `wire`; from now on ``report`` is about it, and has its mistakes of shape."""
    found = _read_quickly(kind, item.body)
    faults: list[Fault] = []
    if found is None:
        outline = as_outline(item.body)
        value, faults = shape_faults({} if outline.value is None else outline.value, KINDS[kind])
        found = msgspec.convert(value, KINDS[kind])
        faults += [fault for fault in outline.faults if _matters(fault, kind)]
    metadata = found.metadata or wire.ApiMetadata()
    if metadata.generate_name and not metadata.name:
        metadata.name = _generated_name(metadata.generate_name)
    report.begin(item.place, Subject(kind, metadata.namespace, metadata.name), faults)
    return found


def _generated_name(prefix: str) -> str:
    """A name that the API server may give; it ends with random letters, for which the input has no others."""
    return f"{prefix[:_LONGEST_PREFIX]}x"


def _matters(fault: Fault, kind: str) -> bool:
    return fault.path[:1] in OF_THE_TYPE or is_read(fault.path, KINDS[kind])


def has_pod_template(body: msgspec.Raw | Outline) -> bool:
    """Whether an object of whatever kind has the template of pods where workloads have it."""
    try:
        found = _workload(body) if isinstance(body, msgspec.Raw) else msgspec.convert(body.value, wire.ApiWorkload)
    except (msgspec.MsgspecError, RecursionError):
        return False
    return bool(found.pod_template and found.pod_template.spec and found.pod_template.spec.containers)


def as_outline(body: msgspec.Raw | Outline) -> Outline:
    """An object as plain values, with its doubled keys; what cannot be read has no value but a fault."""
    return body if isinstance(body, Outline) else outline_json(body)


def _read_quickly(kind: str, body: msgspec.Raw | Outline) -> Any:
    """The object if there is nothing wrong with its shape, else None."""
    try:
        if isinstance(body, Outline):
            return None if body.faults else msgspec.convert(body.value, KINDS[kind])
        if kind == "NetworkPolicy" and _may_have_doubled_keys(body):
            return None
        return _DECODE[kind](body)
    except (msgspec.MsgspecError, RecursionError):
        return None


def _may_have_doubled_keys(body: msgspec.Raw) -> bool:
    """Whether something is lost by reading JSON and writing it again.

    msgspec keeps the last of two equal keys, and of a policy the other one may have been a restriction. To differ
    by more than spaces is cheap to see; as harmless things differ too, the slow reader decides.
    """
    return msgspec.json.format(body, indent=-1) != msgspec.json.encode(msgspec.json.decode(body))
