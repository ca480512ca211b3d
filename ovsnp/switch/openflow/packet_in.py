"""NXT_PACKET_IN2: a packet that a flow sent to the controllers (``enum nx_packet_in2_prop_type``).

Senders outside of the cluster make up the packet, so nothing in it is read here.
"""

import struct
from collections.abc import Mapping
from typing import NamedTuple

from ovsnp.pipeline.fields import Field
from ovsnp.pipeline.registers import PACKED
from ovsnp.switch.openflow.message import DecodeError, Message, properties
from ovsnp.switch.openflow.nicira import Subtype, decode_nicira

_PACKET = 0
_FULL_LEN = 1
_TABLE_ID = 3
_COOKIE = 4
_METADATA = 6
_USERDATA = 7

_NUMBER = {_FULL_LEN: struct.Struct("!I"), _TABLE_ID: struct.Struct("!B"), _COOKIE: struct.Struct("!4xQ")}
_OXM = struct.Struct("!HBB")


class PacketIn(NamedTuple):
    """A packet, the flow that sent it, and what the bridge knew of the packet at this flow.

    ``packet`` are the first bytes, ``full_length`` is the length of the whole packet. ``metadata`` are the values of
    fields by the first three bytes of their OXM headers: class, number and mask bit.
    """

    table: int
    cookie: int
    userdata: bytes
    packet: bytes
    full_length: int
    metadata: Mapping[bytes, int]

    def value(self, field: Field) -> int:
        """The value of a register, of conntrack's memory, of the tunnel or of the input port; 0 if it has none."""
        value = 0
        for oxm, left in PACKED.get(field.base, ((field.oxm, 0),)):
            whole = self.metadata.get(oxm.exact[:3], 0)
            value |= whole >> left if left >= 0 else whole << -left
        return value >> field.lsb & field.full_mask


def decode_packet_in(message: Message) -> PacketIn:
    """The packet-in of a message; raises DecodeError for any other message."""
    found = dict(properties(decode_nicira(message, Subtype.PACKET_IN2)))
    packet = found.get(_PACKET, b"")
    return PacketIn(
        _number(found, _TABLE_ID, 0),
        _number(found, _COOKIE, 0),
        found.get(_USERDATA, b""),
        packet,
        _number(found, _FULL_LEN, len(packet)),
        _metadata(found.get(_METADATA, b"")),
    )


def _number(found: Mapping[int, bytes], kind: int, default: int) -> int:
    if kind not in found:
        return default
    try:
        (number,) = _NUMBER[kind].unpack(found[kind])
    except struct.error:
        raise DecodeError(f"property {kind} of a packet-in has {len(found[kind])} bytes") from None
    return int(number)


def _metadata(data: bytes) -> dict[bytes, int]:
    """The values of OXM fields; a mask (registers have one, of the bits that are not 0) says nothing more."""
    values, start = {}, 0
    while start < len(data):
        if len(data) - start < _OXM.size:
            raise DecodeError("an OXM field that is shorter than its header")
        oxm_class, number, length = _OXM.unpack_from(data, start)
        start += _OXM.size
        if length > len(data) - start:
            raise DecodeError(f"an OXM field of class {oxm_class:#x} with length {length}")
        value = data[start : start + (length // 2 if number & 1 else length)]
        values[struct.pack("!HB", oxm_class, number & ~1)] = int.from_bytes(value, "big")
        start += length
    return values
