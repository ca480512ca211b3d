"""Matches on the wire: ``struct ofp11_match`` with OXM fields, in the order of Open vSwitch (lib/nx-match.c)."""

import struct
from collections.abc import Iterator

from ovsnp.flows.match import Match
from ovsnp.model.ports import Protocol
from ovsnp.pipeline import fields as f
from ovsnp.pipeline import registers as r
from ovsnp.pipeline.oxm import Oxm
from ovsnp.switch.openflow.message import padded

_OFPMT_OXM = 1
_HEAD = struct.Struct("!HH")

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
_PLACE = {oxm: place for place, oxm in enumerate(_ORDER)}
"""The place of each field in a match: the order of ``nx_put_raw()``."""

_HALF = (1 << 64) - 1


def encode_match(match: Match) -> bytes:
    """``struct ofp11_match``, padded."""
    found = sorted((_PLACE[oxm], data) for oxm, data in _encoded(match))
    fields = b"".join(data for _, data in found)
    return padded(_HEAD.pack(_OFPMT_OXM, _HEAD.size + len(fields)) + fields)


def _encoded(match: Match) -> Iterator[tuple[Oxm, bytes]]:
    protocol = None
    if match.kind:
        ethernet, protocol = f.HEADERS[match.kind]
        yield f.DL_TYPE.oxm, encode_field(f.DL_TYPE.oxm, ethernet)
        if protocol is not None:
            yield f.NW_PROTO.oxm, encode_field(f.NW_PROTO.oxm, protocol)
    registers: dict[Oxm, tuple[int, int]] = {}
    for base, (field, value, mask) in match.whole_terms().items():
        if base in r.PACKED:
            for oxm, left in r.PACKED[base]:
                before = registers.get(oxm, (0, 0))
                registers[oxm] = before[0] | _shifted(value, left), before[1] | _shifted(mask, left)
        else:
            oxm = field.oxm if field is not f.PORT_DST or protocol is None else _TRANSPORT_DST[protocol]
            yield oxm, encode_field(oxm, value, mask, field.octets)
    for oxm, (value, mask) in registers.items():
        if mask:
            yield oxm, encode_field(oxm, value, mask)


def _shifted(value: int, left: int) -> int:
    return (value << left if left >= 0 else value >> -left) & _HALF


def encode_field(oxm: Oxm, value: int, mask: int | None = None, octets: int | None = None) -> bytes:
    """An OXM field, with the mask if it does not cover the whole value of ``octets`` bytes (usually the field's)."""
    length = octets or oxm.length
    if mask is None or mask == (1 << 8 * length) - 1:
        return oxm.header(length) + value.to_bytes(length, "big")
    return oxm.header(length, masked=True) + value.to_bytes(length, "big") + mask.to_bytes(length, "big")
