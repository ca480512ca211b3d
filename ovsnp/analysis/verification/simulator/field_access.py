"""Reads and writes fields of packets, a run of bits at a time."""

from collections.abc import Mapping

from ovsnp.analysis.verification.simulator.places import (
    OPTION_BITS,
    FieldBits,
    is_option,
    is_whole_option,
    place_mask,
)
from ovsnp.analysis.verification.simulator.space import Space, Value


def written(space: Space, fields: Mapping[str, Value], base: str, value: Value, mask: int) -> Value:
    """The value of a field with the bits of ``mask`` from ``value``; raises MixedError as `Space.write` does."""
    if mask == place_mask(base) and not is_option(base):
        return value
    return space.write(fields.get(base, 0), value, mask)


def get(space: Space, fields: Mapping[str, Value], where: FieldBits) -> Value:
    """The value of a run of bits; 0 where the packets have no such field."""
    whole = fields.get(where.base, 0)
    if _is_whole(where):
        return whole
    return space.write(0, whole, (1 << where.bits) - 1, -where.lsb)


def put(space: Space, fields: dict[str, Value], where: FieldBits, value: Value) -> None:
    """Write a value into a run of bits. A tunnel option is present once it is written."""
    if _is_whole(where):
        fields[where.base] = value
        return
    if is_whole_option(where):
        fields[where.base] = space.write(1 << OPTION_BITS, value, where.mask)
        return
    present = 1 << OPTION_BITS if is_option(where.base) else 0
    before = space.write(fields.get(where.base, 0), present, present)
    fields[where.base] = space.write(before, value, where.mask, where.lsb)


def _is_whole(where: FieldBits) -> bool:
    return where.lsb == 0 and where.mask == place_mask(where.base) and not is_option(where.base)
