"""The fields of the HTML form: each name is the path of a part of the form document (``inbound.0.ports.1.port``)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from ovsnp.console.form import FieldMistake, FormError, PolicyForm

_LIST = "values"
"""The field of a list, with commas between the values; the origin of a row of ports is another one."""

_CHECKED = "directions"
"""The field of checkboxes: each value comes as a field of its own."""

_STALE = "the form is not one of this console; open its page again"

_DEEPEST = 8
"""The parts of the longest path: ``inbound.0.peers.0.namespaces.expressions.0.values``."""

_LONGEST_INDEX = 6
"""The digits of the greatest index."""

_EMPTY_VALUE = '""'
"""An empty value in a list."""


def read_form(fields: Iterable[tuple[str, str]]) -> PolicyForm:
    """The form document of the fields of a request; fields that are not of the form are left out.

    Raises FormError for fields that no page of the console sends.
    """
    tree: dict[str, Any] = {_CHECKED: []}
    for name, value in fields:
        path = name.split(".")
        if path[0] == _CHECKED:
            tree[_CHECKED].append(value)
        elif path[0] in PolicyForm.__struct_encode_fields__:
            _put(tree, path, value)
    try:
        return msgspec.convert(_with_lists(tree), PolicyForm, strict=False)
    except msgspec.ValidationError as error:
        raise FormError([FieldMistake("", f"{_STALE} ({error})")]) from None


def joined(values: Sequence[object]) -> str:
    """The text of a field that holds a list."""
    return ", ".join(_EMPTY_VALUE if each == "" else str(each) for each in values)


def index_of(text: str) -> int | None:
    """The index that a part of a path is; None if it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_INDEX else None


def _put(tree: dict[str, Any], path: Sequence[str], value: str) -> None:
    if len(path) > _DEEPEST:
        raise FormError([FieldMistake("", _STALE)])
    for part in path[:-1]:
        inner = tree.setdefault(part, {})
        if not isinstance(inner, dict):
            raise FormError([FieldMistake("", _STALE)])
        tree = inner
    tree[path[-1]] = _split(value) if path[-1] == _LIST or _is_port_origin(path) else value


def _is_port_origin(path: Sequence[str]) -> bool:
    return ".".join(part for part in path if not part.isdigit()).endswith("ports.origin")


def _split(value: str) -> list[str]:
    values = [each.strip() for each in value.split(",")] if value.strip() else []
    return ["" if each == _EMPTY_VALUE else each for each in values]


def _with_lists(tree: Mapping[str, Any]) -> Any:
    """The tree with lists in the place of the mappings whose keys are indexes."""
    inner = {key: _with_lists(value) if isinstance(value, dict) else value for key, value in tree.items()}
    if inner and all(index_of(key) is not None for key in inner):
        return [inner[key] for key in sorted(inner, key=int)]
    return inner
