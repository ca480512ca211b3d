"""Matches, and values in the spelling in which Open vSwitch stores them."""

from collections.abc import Mapping
from functools import cached_property
from typing import NamedTuple

import msgspec

from ovsnp.model.address import Address, Prefix, format_address
from ovsnp.pipeline.fields import CT_FLAGS, CT_STATE, IP_KIND, Field, Form


class Term(NamedTuple):
    """A field must have ``value`` in the bits of ``mask`` (0 to the field's full mask)."""

    field: Field
    value: int
    mask: int


def exactly(field: Field, value: int) -> Term:
    """A term: the field has this value."""
    return Term(field, value, field.full_mask)


def in_prefix(field: Field, value: int, length: int) -> Term:
    """A term: the address lies in a prefix of ``length`` bits."""
    return Term(field, value, field.full_mask ^ (field.full_mask >> length))


def connection(flags: str) -> Term:
    """A term on ct_state, written as in ovs-ofctl: ``+est-rpl+trk``."""
    value = mask = 0
    for position in range(0, len(flags), 4):
        bit = 1 << CT_FLAGS.index(flags[position + 1 : position + 4])
        mask |= bit
        value |= bit if flags[position] == "+" else 0
    return Term(CT_STATE, value, mask)


class Match(msgspec.Struct, frozen=True, dict=True):
    """A packet kind (ovs-ofctl's shorthand, or empty) and terms, all of which must hold."""

    kind: str = ""
    terms: tuple[Term, ...] = ()

    def __str__(self) -> str:
        return self._text

    @cached_property
    def _text(self) -> str:
        """Cached, because the same text serves to check, sort and write a flow."""
        bases: dict[str, Term] = {}
        for field, value, mask in self.terms:
            before = bases.get(field.base)
            bases[field.base] = Term(
                field,
                value << field.lsb | (before.value if before else 0),
                mask << field.lsb | (before.mask if before else 0),
            )
        parts = [f"{base}={_format_term(term)}" for base, term in bases.items() if term.mask]
        return ",".join([self.kind, *parts] if self.kind else parts)


def match_prefix(side: Mapping[int, Field], prefix: Prefix, *others: Term) -> Match:
    """IP packets whose address lies in a prefix; ``side`` is the field of each family, and ``others`` come first."""
    return Match(IP_KIND[prefix.family], (*others, in_prefix(side[prefix.family], prefix.value, prefix.length)))


def _format_term(term: Term) -> str:
    field, value, mask = term
    if field.form is Form.CT_STATE:
        return "".join(
            ("+" if value >> bit & 1 else "-") + flag for bit, flag in enumerate(CT_FLAGS) if mask >> bit & 1
        )
    if mask == (1 << field.base_bits) - 1:
        return format_value(field, value)
    if field.form in (Form.IPV4, Form.IPV6):
        return f"{format_value(field, value)}/{mask.bit_count()}"
    if field.form is Form.MAC:
        return f"{format_value(field, value)}/{format_value(field, mask)}"
    return f"{format_hex(value)}/{format_hex(mask)}"


def format_value(field: Field, value: int) -> str:
    """A value in the form of its field: decimal, hexadecimal, MAC or IP address."""
    match field.form:
        case Form.MAC:
            return value.to_bytes(6, "big").hex(":")
        case Form.IPV4:
            return format_address(Address(value.to_bytes(4, "big")))
        case Form.IPV6:
            return format_address(Address(value.to_bytes(16, "big")))
        case Form.HEX:
            return format_hex(value)
        case _:
            return str(value)


def format_hex(value: int) -> str:
    """C's ``%#x``: hexadecimal with its prefix, but a bare 0."""
    return f"{value:#x}" if value else "0"
