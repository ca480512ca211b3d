"""Messages: the header that all share, and their types."""

import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

from ovsnp.errors import SwitchError

VERSION = 6
"""OpenFlow 1.5 on the wire."""

HEADER = struct.Struct("!BBHI")
"""``struct ofp_header``: version, type, length, transaction id."""

_PROPERTY = struct.Struct("!HH")
_LENGTH = struct.Struct("!H")

LONGEST = 0xFFFF
"""The most bytes of a message."""


class MessageType(IntEnum):
    """``enum ofp_type`` of OpenFlow 1.5, as far as it is used here."""

    HELLO = 0
    ERROR = 1
    ECHO_REQUEST = 2
    ECHO_REPLY = 3
    EXPERIMENTER = 4
    GET_CONFIG_REQUEST = 7
    GET_CONFIG_REPLY = 8
    SET_CONFIG = 9
    PACKET_IN = 10
    FLOW_REMOVED = 11
    PORT_STATUS = 12
    PACKET_OUT = 13
    FLOW_MOD = 14
    GROUP_MOD = 15
    MULTIPART_REQUEST = 18
    MULTIPART_REPLY = 19
    BARRIER_REQUEST = 20
    BARRIER_REPLY = 21
    SET_ASYNC = 28
    METER_MOD = 29
    REQUESTFORWARD = 32
    BUNDLE_CONTROL = 33
    BUNDLE_ADD_MESSAGE = 34


class Message(NamedTuple):
    """A message without its header; a reply has the transaction id of its request.

    ``version`` matters in OFPT_HELLO only.
    """

    type: int
    body: bytes = b""
    xid: int = 0
    version: int = VERSION

    @property
    def packed(self) -> bytes:
        """The message on the wire; its length must be at most `LONGEST`."""
        return HEADER.pack(self.version, self.type, HEADER.size + len(self.body), self.xid) + self.body


def padded(data: bytes) -> bytes:
    """The data, and zeros up to a multiple of 8 bytes."""
    return data + bytes(-len(data) % 8)


class DecodeError(SwitchError):
    """The switch sent a message that is not as the specification says."""


def properties(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The properties in data by type (``struct ofp_prop_header``), without the padding; raises DecodeError."""
    start = 0
    while start < len(data):
        if len(data) - start < _PROPERTY.size:
            raise DecodeError("a property that is shorter than its header")
        kind, length = _PROPERTY.unpack_from(data, start)
        if not _PROPERTY.size <= length <= len(data) - start:
            raise DecodeError(f"a property of type {kind} with length {length}")
        yield kind, data[start + _PROPERTY.size : start + length]
        start += length + -length % 8


def entries(data: bytes, least: int) -> Iterator[bytes]:
    """Split data into entries that begin with their length, at least ``least``; raises DecodeError."""
    start = 0
    while start < len(data):
        if len(data) - start < least:
            raise DecodeError(f"an entry of {len(data) - start} bytes")
        (length,) = _LENGTH.unpack_from(data, start)
        if not least <= length <= len(data) - start:
            raise DecodeError(f"an entry with length {length}")
        yield data[start : start + length]
        start += length


def encode_property(kind: int, data: bytes) -> bytes:
    """A property (``struct ofp_prop_header``), padded."""
    return padded(_PROPERTY.pack(kind, _PROPERTY.size + len(data)) + data)
