"""Matches on the wire: ``struct ofp11_match`` with OXM fields, in the order of Open vSwitch (lib/nx-match.c)."""

import struct
from functools import cache
from typing import NamedTuple

from ovsnp.flows.match import Match
from ovsnp.model.ports import Protocol
from ovsnp.pipeline import fields as f
from ovsnp.pipeline import registers as r
from ovsnp.pipeline.fields import Field
from ovsnp.pipeline.oxm import Oxm
from ovsnp.switch.openflow.message import padded

_OFPMT_OXM = 1
_HEAD = struct.Struct("!HH")

EVERY_PACKET = padded(_HEAD.pack(_OFPMT_OXM, _HEAD.size))
"""The match that every packet has."""

_TRANSPORT_DST = {f.IP_PROTO[protocol]: f.TRANSPORT_DST[protocol].oxm for protocol in Protocol}

_PACKET = (
    *(f.CONJ_ID, f.IN_PORT, f.ETH_SRC, f.ETH_DST, f.DL_TYPE, f.VLAN_TCI),
    *(f.IPV4_SRC, f.IPV4_DST, f.IPV6_SRC, f.IPV6_DST, f.NW_PROTO, *f.TRANSPORT_DST.values()),
    *(f.ICMPV6_TYPE, f.ND_RESERVED, f.ND_TARGET, f.ND_OPTIONS_TYPE, f.ND_SLL, f.ND_TLL),
    *(f.ARP_OP, f.ARP_SPA, f.ARP_TPA, f.ARP_SHA, f.ARP_THA),
    *(f.TUN_ID, f.TUN_SRC, f.TUN_DST, f.TUN_IPV6_SRC, f.TUN_IPV6_DST, *f.TUN_METADATA.values()),
)
_CONNECTION = (f.CT_STATE, f.CT_MARK, r.ADMITTED, f.CT_DST[4], f.CT_DST[6], f.CT_NW_PROTO, f.CT_TP_DST)
_ORDER = (
    *(field.oxm for field in _PACKET),
    *r.PACKET_REGISTERS,
    *(field.oxm for field in _CONNECTION),  # every part of ct_label has the same header
)
_NUMBER = {oxm: number for number, oxm in enumerate(_ORDER)}
"""The numbers of the fields in the order of ``nx_put_raw()``."""


class _Place(NamedTuple):
    """A place of a field's bits in a match: the number and header of the whole field, its length and all its bits.

    The bits are shifted to the left by ``left`` bits.
    """

    number: int
    oxm: Oxm
    octets: int
    full: int
    left: int


def encode_match(match: Match) -> bytes:
    """``struct ofp11_match``, padded; the parts of one field become one field."""
    protocol, encoded = _encode_kind(match.kind)
    found: dict[int, tuple[_Place, int, int]] = {}
    for field, value, mask in match.terms:
        for place in _places(field, protocol):
            if bits := _shifted(mask, place):
                _, before, bits_before = found.get(place.number, (place, 0, 0))
                found[place.number] = place, before | _shifted(value, place), bits_before | bits
    fields = {
        number: encode_field(place.oxm, value, bits, place.octets) for number, (place, value, bits) in found.items()
    }
    fields.update(encoded)
    data = b"".join([fields[number] for number in sorted(fields)])
    return padded(_HEAD.pack(_OFPMT_OXM, _HEAD.size + len(data)) + data)


@cache
def _encode_kind(kind: str) -> tuple[int | None, dict[int, bytes]]:
    """The IP protocol of a kind of packets, and the fields that the kind stands for, by number."""
    if not kind:
        return None, {}
    ethernet, protocol = f.HEADERS[kind]
    encoded = {_NUMBER[f.DL_TYPE.oxm]: encode_field(f.DL_TYPE.oxm, ethernet)}
    if protocol is not None:
        encoded[_NUMBER[f.NW_PROTO.oxm]] = encode_field(f.NW_PROTO.oxm, protocol)
    return protocol, encoded


@cache
def _places(field: Field, protocol: int | None) -> tuple[_Place, ...]:
    """The places of a field's bits: a register of 128 bits has two, every other field has one."""
    if field.base in r.PACKED:
        return tuple(_place(oxm, oxm.length, left + field.lsb) for oxm, left in r.PACKED[field.base])
    oxm = _TRANSPORT_DST[protocol] if field is f.PORT_DST and protocol is not None else field.oxm
    return (_place(oxm, field.octets, field.lsb),)


def _place(oxm: Oxm, octets: int, left: int) -> _Place:
    return _Place(_NUMBER[oxm], oxm, octets, (1 << 8 * octets) - 1, left)


def _shifted(value: int, place: _Place) -> int:
    left = place.left
    return (value << left if left >= 0 else value >> -left) & place.full


def encode_field(oxm: Oxm, value: int, mask: int | None = None, octets: int | None = None) -> bytes:
    """An OXM field, with the mask if it does not cover the whole value of ``octets`` bytes (usually the field's)."""
    length = octets or oxm.length
    if mask is None or mask == (1 << 8 * length) - 1:
        return oxm.header(length) + value.to_bytes(length, "big")
    return oxm.header(length, masked=True) + value.to_bytes(length, "big") + mask.to_bytes(length, "big")
