"""The object as YAML text, and back."""

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from typing import Any, NamedTuple

from ovsnp.errors import Diagnostic, InputError, Span
from ovsnp.manifests import load_objects
from ovsnp.yaml_editor import EditRefusedError, FileText, block_text
from ovsnp.yaml_reader.json_text import outline_json
from ovsnp.yaml_reader.notation import read_documents
from ovsnp.yaml_reader.outline import Outline
from ovsnp.yaml_reader.paths import Fault, Path, format_path, parse_path
from ovsnp.yaml_reader.structure import describe

ORIGIN = "YAML"
"""The file in the diagnostics of a text."""

_FILE = "text.yaml"
"""A name by which text that begins like JSON, and is none, is read as YAML."""

_UNFINISHED = "the text ends in the middle of a value; close its brackets and quotes"

_KIND = "NetworkPolicy"

MAX_BYTES = 1 << 20
"""The greatest text; an API server takes objects of up to 1.5 MiB."""

MAX_VALUES = 100_000
"""The greatest number of values, with those that aliases stand for."""

_LABEL_SELECTOR = ("matchLabels", "matchExpressions")
_RULE = ("from", "to", "ports")
_PEER = ("namespaceSelector", "podSelector", "ipBlock")

_ORDER: Mapping[str, Sequence[str]] = {
    "": ("apiVersion", "kind", "metadata", "spec", "status"),
    "metadata": ("name", "generateName", "namespace", "labels", "annotations"),
    "spec": ("podSelector", "policyTypes", "ingress", "egress"),
    "ingress": _RULE,
    "egress": _RULE,
    "from": _PEER,
    "to": _PEER,
    "ports": ("protocol", "port", "endPort"),
    "ipBlock": ("cidr", "except"),
    "podSelector": _LABEL_SELECTOR,
    "namespaceSelector": _LABEL_SELECTOR,
    "matchExpressions": ("key", "operator", "values"),
}
"""The usual order of the fields of an object, by the field that holds the object or a list of such objects."""


class TextReading(NamedTuple):
    """What a text says: the object, None if the text is no NetworkPolicy, and all mistakes with their lines."""

    policy: dict[str, Any] | None
    mistakes: list[Diagnostic]


def yaml_of(policy: Mapping[str, Any]) -> str:
    """The object as YAML, its known fields in the usual order."""
    return block_text(in_usual_order(policy))


def in_usual_order(policy: Mapping[str, Any]) -> dict[str, Any]:
    """The object with its known fields in the usual order, and others after them."""
    ordered: dict[str, Any] = _ordered(dict(policy), "")
    return ordered


def edited_text(text: str, policy: Mapping[str, Any]) -> str:
    """The text after a change to another object: comments and order stay.

    Raises EditRefusedError for a text that cannot be edited: it has mistakes, or its aliases stand for what changes.
    """
    try:
        file = FileText(ORIGIN, text.encode())
    except UnicodeError:
        raise EditRefusedError("the text is not UTF-8") from None
    numbers = [number for number, value in enumerate(file.values) if value is not None]
    if len(numbers) != 1:
        raise EditRefusedError(f"the text has {len(numbers)} objects")
    return file.replaced(numbers[0], (), in_usual_order(policy)).decode()


def object_of_text(text: str) -> TextReading:
    """Read text in YAML or JSON that is exactly one NetworkPolicy; the object may have mistakes in its values."""
    try:
        data = text.encode()
    except UnicodeError:
        return _refused(0, "not UTF-8 text; remove the characters that are none")
    if len(data) > MAX_BYTES:
        return _refused(0, f"larger than {MAX_BYTES >> 10} KiB; no NetworkPolicy is")
    documents = read_documents(_FILE, data, lines=True)
    if mistake := documents.mistake:
        return _refused(mistake.line, _UNFINISHED if mistake.unfinished else mistake.message)
    found = documents.yaml or [outline_json(each.text) for each in documents.json]
    filled = [each for each in found if each.value is not None or each.faults]
    if len(filled) != 1:
        if not filled:
            return _refused(0, f"there is no object here; write a {_KIND}")
        return _refused(filled[1].line(()), f"{len(filled)} objects; write exactly one {_KIND}")
    return _read(filled[0])


def _read(outline: Outline) -> TextReading:
    value = outline.value
    if not isinstance(value, dict) or not isinstance(value.get("kind"), str):
        return _refused(outline.line(()), f"must be a {_KIND}, not {describe(value)}; write its kind")
    if value["kind"] != _KIND:
        return _refused(outline.line(("kind",)), f"the kind is {value['kind']}; write a {_KIND}")
    faults = [*outline.faults, *_not_json(value)]
    mistakes = [
        Diagnostic(Span(ORIGIN, outline.line(each.path)), "", format_path(each.path), each.message) for each in faults
    ]
    if not faults:
        mistakes = _mistakes(value, outline)
    return TextReading(None if faults else value, sorted(mistakes))


def _mistakes(value: dict[str, Any], outline: Outline) -> list[Diagnostic]:
    try:
        load_objects([value], origin=ORIGIN)
    except InputError as error:
        return [each._replace(span=Span(ORIGIN, outline.line(parse_path(each.path)))) for each in error.diagnostics]
    return []


def _not_json(value: Any) -> list[Fault]:
    """The parts that no JSON can hold, and too many values."""
    faults: list[Fault] = []
    for count, (path, inner) in enumerate(_walk(value, ())):
        if count == MAX_VALUES:
            return [Fault((), f"more than {MAX_VALUES} values, with those of aliases; no {_KIND} has so many")]
        if isinstance(inner, dict):
            wrong = [key for key in inner if not isinstance(key, str)]
            faults += [
                Fault((*path, str(key)), f"a key must be text, not {describe(key)}; write it in quotes")
                for key in wrong
            ]
        elif isinstance(inner, float) and not isfinite(inner):
            faults.append(Fault(path, "is no number that JSON has; write it in quotes, or another number"))
    return faults


def _walk(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    yield path, value
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _walk(inner, (*path, str(key)))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _walk(inner, (*path, index))


def _refused(line: int, message: str) -> TextReading:
    return TextReading(None, [Diagnostic(Span(ORIGIN, line), "", "", message)])


def _ordered(value: Any, field: str) -> Any:
    if isinstance(value, list):
        return [_ordered(item, field) for item in value]
    if not isinstance(value, dict):
        return value
    known = _ORDER.get(field, ())
    keys = [*(key for key in known if key in value), *(key for key in value if key not in known)]
    return {key: _ordered(value[key], str(key)) for key in keys}
