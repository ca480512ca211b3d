"""The rules for the declarations of the wire types."""

from collections.abc import Iterator

import msgspec
import pytest
from msgspec import inspect

from ovsnp.manifests.kinds import wire
from ovsnp.manifests.kinds.read_kinds import KINDS


def _types(declared: inspect.Type) -> Iterator[inspect.Type]:
    yield declared
    match declared:
        case inspect.UnionType():
            inner: tuple[inspect.Type, ...] = declared.types
        case inspect.ListType():
            inner = (declared.item_type,)
        case inspect.StructType():
            inner = tuple(field.type for field in declared.fields)
        case _:
            inner = ()
    for part in inner:
        yield from _types(part)


EVERYTHING = [part for kind in KINDS.values() for part in _types(inspect.type_info(kind))]


def _takes_null(declared: inspect.Type) -> bool:
    options = declared.types if isinstance(declared, inspect.UnionType) else (declared,)
    return any(isinstance(option, inspect.NoneType | inspect.AnyType) for option in options)


STRUCTS = {part.cls.__name__: part.cls for part in EVERYTHING if isinstance(part, inspect.StructType)}


@pytest.mark.parametrize("struct", STRUCTS.values(), ids=STRUCTS)
def test_every_field_may_be_absent_or_null(struct: type[msgspec.Struct]) -> None:
    """Otherwise a broken part could not be removed, and would hide the mistakes around it."""
    assert struct() == struct()
    for field in msgspec.structs.fields(struct):
        assert _takes_null(inspect.type_info(field.type)), field.name


def test_every_item_may_be_null() -> None:
    """Broken items become null, so that the other items keep their index."""
    for part in EVERYTHING:
        if isinstance(part, inspect.ListType):
            assert _takes_null(part.item_type)


def test_every_field_below_a_policys_spec_counts() -> None:
    for part in _types(inspect.type_info(wire.ApiPolicySpec)):
        if isinstance(part, inspect.StructType):
            assert part.cls.__struct_config__.forbid_unknown_fields, part.cls
