"""Open vSwitch's own messages: ``struct nicira_header`` (include/openflow/nicira-ext.h)."""

import struct
from enum import IntEnum

from ovsnp.switch.openflow.message import DecodeError, Message, MessageType

NX_VENDOR_ID = 0x00002320

_HEAD = struct.Struct("!II")


class Subtype(IntEnum):
    """The subtypes of messages (include/openvswitch/ofp-msgs.h), as far as they are used here."""

    SET_PACKET_IN_FORMAT = 16
    TLV_TABLE_MOD = 24
    TLV_TABLE_REQUEST = 25
    TLV_TABLE_REPLY = 26
    CT_FLUSH_ZONE = 29
    PACKET_IN2 = 30
    CT_FLUSH = 32


def encode_nicira(subtype: Subtype, body: bytes = b"") -> Message:
    """A message of Open vSwitch's own."""
    return Message(MessageType.EXPERIMENTER, _HEAD.pack(NX_VENDOR_ID, subtype) + body)


def decode_nicira(message: Message, subtype: Subtype) -> bytes:
    """The body of a message of Open vSwitch's own, which must have this subtype; raises DecodeError."""
    head = _HEAD.pack(NX_VENDOR_ID, subtype)
    if message.type != MessageType.EXPERIMENTER or not message.body.startswith(head):
        raise DecodeError(f"a message of type {message.type} in the place of NXT_{subtype.name}")
    return message.body[_HEAD.size :]
