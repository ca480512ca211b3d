"""Mistakes in the shape of an object: unknown fields, wrong types, nulls without a meaning.

Runs only for an object that msgspec refuses or may misread, as msgspec names one mistake and stops. It uses the types
with which msgspec reads the object (such as those of `ovsnp.manifests.kinds.wire`), so there is no second list of
fields.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from msgspec import Struct, inspect

from ovsnp.yaml_reader.paths import Fault, Path

_QUOTE = "write it in quotes"

_REMEDIES: Mapping[type[inspect.Type], tuple[str, str]] = {
    inspect.StrType: ("text", _QUOTE),
    inspect.IntType: ("a whole number", "write it as digits without quotes"),
    inspect.BoolType: ("true or false", "write one of the two without quotes"),
    inspect.ListType: ("a list", "write its items in [] or each after a dash"),
    inspect.DictType: ("a mapping", "write it as KEY: VALUE"),
    inspect.StructType: ("a mapping", "write its fields as KEY: VALUE"),
}


def shape_faults(value: Any, wire: type[Struct]) -> tuple[Any, list[Fault]]:
    """The object without its broken parts, which msgspec then accepts, and all its mistakes of shape.

    A broken item of a list becomes null, so that the other items keep their index.
    """
    walker = _Walker()
    return walker.visit(value, _declaration(wire), ()), walker.faults


def is_read(path: Path, wire: type[Struct]) -> bool:
    """True if a mistake at ``path`` matters: ``wire`` has the field, or allows no unknown field there."""
    outside = _outside(path, wire)
    return outside is None or outside.cls.__struct_config__.forbid_unknown_fields


def is_declared(path: Path, wire: type[Struct]) -> bool:
    """True if ``wire`` has the field at ``path``."""
    return _outside(path, wire) is None


def _outside(path: Path, wire: type[Struct]) -> inspect.StructType | None:
    """The type that lacks a field on the way to ``path``; None if ``wire`` has the field."""
    declared = _declaration(wire)
    for step in path:
        options = declared.types if isinstance(declared, inspect.UnionType) else (declared,)
        for option in options:
            match option:
                case inspect.StructType():
                    fields = {field.encode_name: field.type for field in option.fields}
                    if step not in fields:
                        return option
                    declared = fields[str(step)]
                case inspect.ListType():
                    declared = option.item_type
                case inspect.DictType():
                    declared = option.value_type
    return None


def describe(value: Any) -> str:
    """A value of the input for an error: its type, and the value itself unless it is a list or a mapping."""
    match value:
        case None:
            return "null"
        case bool():
            return f"the boolean {str(value).lower()}"
        case str():
            return f"the text {quote(value)}"
        case int():
            return f"the number {_shortened(hex(value) if value.bit_length() > 10_000 else str(value))}"
        case float():
            return f"the number {value}"
        case list():
            return "a list"
        case dict():
            return "a mapping"
        case _:
            return "something else"


def quote(text: str) -> str:
    """Text of the input for an error: on one line, in quotes, shortened if it is long."""
    return repr(_shortened(text))


def _shortened(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."


@lru_cache
def _declaration(wire: type[Struct]) -> inspect.Type:
    return inspect.type_info(wire)


class _Walker:
    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def visit(self, value: Any, declared: inspect.Type, path: Path) -> Any:
        """The part of ``value`` that ``declared`` allows; None if it allows no part."""
        options = declared.types if isinstance(declared, inspect.UnionType) else (declared,)
        if isinstance(declared, inspect.AnyType) or (value is None and _allows_null(options)):
            return value
        for option in options:
            match option:
                case inspect.StructType() if isinstance(value, dict):
                    return self._struct(value, option, path)
                case inspect.ListType() if isinstance(value, list):
                    return [self.visit(item, option.item_type, (*path, index)) for index, item in enumerate(value)]
                case inspect.DictType() if isinstance(value, dict):
                    return self._dict(value, option, path)
                case inspect.StrType() if isinstance(value, str):
                    return value
                case inspect.BoolType() if isinstance(value, bool):
                    return value
                case inspect.IntType() if isinstance(value, int) and not isinstance(value, bool):
                    return value
        self._wrong_type(value, options, path)
        return None

    def _struct(self, value: dict[Any, Any], declared: inspect.StructType, path: Path) -> dict[str, Any]:
        fields = {field.encode_name: field.type for field in declared.fields}
        result: dict[str, Any] = {}
        for key, inner in value.items():
            if key in fields:
                result[key] = self.visit(inner, fields[key], (*path, key))
            elif declared.cls.__struct_config__.forbid_unknown_fields:
                known = ", ".join(sorted(fields))
                self._fault((*path, str(key)), f"unknown field; remove it, or write one of {known}")
        return result

    def _dict(self, value: dict[Any, Any], declared: inspect.DictType, path: Path) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key, inner in value.items():
            if not isinstance(key, str):
                self._fault((*path, str(key)), f"a key must be text, not {describe(key)}; write it in quotes")
                continue
            before = len(self.faults)
            kept = self.visit(inner, declared.value_type, (*path, key))
            if len(self.faults) == before:
                result[key] = kept
        return result

    def _wrong_type(self, value: Any, options: tuple[inspect.Type, ...], path: Path) -> None:
        wanted = [_REMEDIES[type(option)] for option in options if type(option) in _REMEDIES]
        names = " or ".join(name for name, _ in wanted)
        remedy = wanted[0][1] if len(wanted) == 1 else f"write one of the {'two' if len(wanted) == 2 else 'three'}"
        if value is None and remedy == _QUOTE:
            remedy = 'write "" if it is meant to be empty'
        self._fault(path, f"must be {names}, not {describe(value)}; {remedy}")

    def _fault(self, path: Path, message: str) -> None:
        self.faults.append(Fault(path, message))


def _allows_null(options: tuple[inspect.Type, ...]) -> bool:
    return any(isinstance(option, inspect.NoneType) for option in options)
