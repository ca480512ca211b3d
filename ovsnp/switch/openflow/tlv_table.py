"""The map of tunnel options to fields: ``struct nx_tlv_map`` and its messages (include/openflow/nicira-ext.h)."""

import struct
from collections.abc import Iterable

from ovsnp.pipeline.carrier import OptionMapping
from ovsnp.switch.openflow.connection import OpenFlow
from ovsnp.switch.openflow.message import DecodeError, Message
from ovsnp.switch.openflow.nicira import Subtype, decode_nicira, encode_nicira

_NXTTMC_ADD = 0
_FIELD = "tun_metadata"

_MOD = struct.Struct("!H6x")
_REPLY = struct.Struct("!IH10x")
_MAP = struct.Struct("!HBBH2x")


def read_options(connection: OpenFlow) -> list[OptionMapping]:
    """The mappings of the bridge; raises SwitchError."""
    reply = decode_nicira(connection.request(encode_nicira(Subtype.TLV_TABLE_REQUEST)), Subtype.TLV_TABLE_REPLY)
    if len(reply) < _REPLY.size or (len(reply) - _REPLY.size) % _MAP.size:
        raise DecodeError(f"an option map of {len(reply)} bytes")
    entries = _MAP.iter_unpack(reply[_REPLY.size :])
    return [OptionMapping(number, kind, length, f"{_FIELD}{index}") for number, kind, length, index in entries]


def add_options(connection: OpenFlow, mappings: Iterable[OptionMapping]) -> None:
    """Add mappings, all or none; raises SwitchError."""
    connection.tell(encode_options(mappings))


def encode_options(mappings: Iterable[OptionMapping]) -> Message:
    """``struct nx_tlv_table_mod``, which adds mappings."""
    entries = [
        _MAP.pack(number, kind, length, int(field.removeprefix(_FIELD))) for number, kind, length, field in mappings
    ]
    return encode_nicira(Subtype.TLV_TABLE_MOD, _MOD.pack(_NXTTMC_ADD) + b"".join(entries))
