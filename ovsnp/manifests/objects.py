"""API objects, in JSON or as plain values, and the reader of both as the type of their kind."""

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
"""The number of characters that the API server keeps of ``metadata.generateName``, so that a name fits a label."""

OF_THE_TYPE = ((), ("kind",), ("apiVersion",))
"""The paths where a mistake of notation may hide the type of an object; other mistakes matter only if it is read."""


class ApiObject(NamedTuple):
    """An object of the input, not read yet: its JSON text, or its value if it came as YAML or from the API."""

    place: Place
    body: msgspec.Raw | Outline


def read_object(kind: str, item: ApiObject, report: MistakeReport) -> Any:
    """Read an object as its type in `wire`; make it the subject of ``report``, and report its mistakes of shape."""
    found = _read_quickly(kind, item.body)
    faults: list[Fault] = []
    if found is None:
        outline = as_outline(item.body)
        value, faults = shape_faults({} if outline.value is None else outline.value, KINDS[kind])
        found = msgspec.convert(value, KINDS[kind])
        faults += [fault for fault in outline.faults if _matters(fault, kind)]
    metadata = found.metadata or wire.ApiMetadata()
    if metadata.generate_name and not metadata.name:
        metadata.name = generated_name(metadata.generate_name)
    report.begin(item.place, Subject(kind, metadata.namespace, metadata.name), faults)
    return found


def condensed(kind: str, body: msgspec.Raw) -> msgspec.Raw:
    """The JSON of an object without the fields that `read_object` ignores.

    An object with a mistake stays as it is, and so does a NetworkPolicy: if it is not understood, its generation is
    reported.
    """
    found = None if kind == "NetworkPolicy" else _read_quickly(kind, body)
    return body if found is None else msgspec.Raw(msgspec.json.encode(found))


def generated_name(prefix: str) -> str:
    """A name that the API server may give: ``x`` stands for the random letters at its end."""
    return f"{prefix[:_LONGEST_PREFIX]}x"


def _matters(fault: Fault, kind: str) -> bool:
    return fault.path[:1] in OF_THE_TYPE or is_read(fault.path, KINDS[kind])


def has_pod_template(body: msgspec.Raw | Outline) -> bool:
    """True if an object of any kind has a pod template at the place where workloads have it."""
    try:
        found = _workload(body) if isinstance(body, msgspec.Raw) else msgspec.convert(body.value, wire.ApiWorkload)
    except (msgspec.MsgspecError, RecursionError):
        return False
    return bool(found.pod_template and found.pod_template.spec and found.pod_template.spec.containers)


def as_outline(body: msgspec.Raw | Outline) -> Outline:
    """An object as plain values, with its duplicate keys; an object that cannot be read is None with a fault."""
    return body if isinstance(body, Outline) else outline_json(body)


def _read_quickly(kind: str, body: msgspec.Raw | Outline) -> Any:
    """The object if its shape has no mistake, else None."""
    try:
        if isinstance(body, Outline):
            return None if body.faults else msgspec.convert(body.value, KINDS[kind])
        if kind == "NetworkPolicy" and _may_have_doubled_keys(body):
            return None
        return _DECODE[kind](body)
    except (msgspec.MsgspecError, RecursionError):
        return None


def _may_have_doubled_keys(body: msgspec.Raw) -> bool:
    """True if reading JSON and writing it again may lose something.

    Of two equal keys msgspec keeps the last, and in a policy the other one may have been a restriction. A difference in
    more than spaces is cheap to find; harmless text may differ too, so the slow reader decides.
    """
    return msgspec.json.format(body, indent=-1) != msgspec.json.encode(msgspec.json.decode(body))
