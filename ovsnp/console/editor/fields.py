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
    return ", ".join(map(str, values))


def _put(tree: dict[str, Any], path: Sequence[str], value: str) -> None:
    for part in path[:-1]:
        inner = tree.setdefault(part, {})
        if not isinstance(inner, dict):
            raise FormError([FieldMistake("", _STALE)])
        tree = inner
    tree[path[-1]] = _split(value) if path[-1] == _LIST or _is_port_origin(path) else value


def _is_port_origin(path: Sequence[str]) -> bool:
    return ".".join(part for part in path if not part.isdigit()).endswith("ports.origin")


def _split(value: str) -> list[str]:
    return [each.strip() for each in value.split(",")] if value.strip() else []


def _with_lists(tree: Mapping[str, Any]) -> Any:
    """The tree with lists in the place of the mappings whose keys are indexes."""
    inner = {key: _with_lists(value) if isinstance(value, dict) else value for key, value in tree.items()}
    if inner and all(key.isdecimal() for key in inner):
        return [inner[key] for key in sorted(inner, key=int)]
    return inner
