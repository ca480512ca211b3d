"""Makes the datapath of a bridge forget connections: NXT_CT_FLUSH and NXT_CT_FLUSH_ZONE (lib/ofp-ct.c)."""

import struct
from typing import NamedTuple

from ovsnp.model.address import Address
from ovsnp.switch.openflow.connection import OpenFlow
from ovsnp.switch.openflow.message import Message, encode_property
from ovsnp.switch.openflow.nicira import Subtype, encode_nicira

_NXT_CT_ORIG_TUPLE = 0
_NXT_CT_ZONE_ID = 2
_NXT_CT_TUPLE_SRC = 0
_NXT_CT_TUPLE_DST = 1
_NXT_CT_TUPLE_SRC_PORT = 2
_NXT_CT_TUPLE_DST_PORT = 3
_NXT_CT_TUPLE_ICMP_ID = 4
_NXT_CT_TUPLE_ICMP_TYPE = 5
_NXT_CT_TUPLE_ICMP_CODE = 6
_ICMP_PROTOCOLS = (1, 58)
_NESTED_PADDING = 4
_MAPPED = bytes(10) + b"\xff\xff"
"""The first bytes of an IPv4 address in the form of an IPv6 address (RFC 4291, 2.5.5.2)."""

_ZONE = struct.Struct("!6xH")
_FLUSH = struct.Struct("!B7x")
_WORD = struct.Struct("!H2x")


class ConnectionTuple(NamedTuple):
    """The first packet of a connection: IP protocol and addresses, and the ports, or the numbers of ICMP.

    ``icmp`` are identifier, type and code; ``ports`` are source and destination port, 0 where the datapath keeps none.
    """

    protocol: int
    source: Address
    destination: Address
    ports: tuple[int, int] = (0, 0)
    icmp: tuple[int, int, int] = (0, 0, 0)


def flush_connections(connection: OpenFlow, zone: int, *tuples: ConnectionTuple) -> None:
    """Make the datapath forget connections of a zone.

    Open vSwitch says nothing if a connection is not there, or if the datapath cannot forget it alone, so the caller
    reads the zone again. An ICMPv6 connection may end ovs-vswitchd (`Datapath.ends_at_icmpv6`). Raises SwitchError.
    Open vSwitch knows the message since 3.1.
    """
    connection.tell(*(encode_flush(zone, each) for each in tuples))


def flush_zone(connection: OpenFlow, zone: int) -> None:
    """Make the datapath forget all connections of a zone; raises SwitchError."""
    connection.tell(encode_nicira(Subtype.CT_FLUSH_ZONE, _ZONE.pack(zone)))


def encode_flush(zone: int, tuple_: ConnectionTuple) -> Message:
    """``struct nx_ct_flush`` with the tuple and the zone."""
    opening = encode_property(_NXT_CT_ORIG_TUPLE, bytes(_NESTED_PADDING) + _tuple(tuple_))
    return encode_nicira(
        Subtype.CT_FLUSH,
        _FLUSH.pack(tuple_.protocol) + opening + encode_property(_NXT_CT_ZONE_ID, _WORD.pack(zone)),
    )


def _tuple(tuple_: ConnectionTuple) -> bytes:
    data = encode_property(_NXT_CT_TUPLE_SRC, _wide(tuple_.source))
    data += encode_property(_NXT_CT_TUPLE_DST, _wide(tuple_.destination))
    if tuple_.protocol in _ICMP_PROTOCOLS:
        number, kind, code = tuple_.icmp
        data += encode_property(_NXT_CT_TUPLE_ICMP_ID, _WORD.pack(number))
        data += encode_property(_NXT_CT_TUPLE_ICMP_TYPE, bytes((kind,)))
        return data + encode_property(_NXT_CT_TUPLE_ICMP_CODE, bytes((code,)))
    for kind, port in zip((_NXT_CT_TUPLE_SRC_PORT, _NXT_CT_TUPLE_DST_PORT), tuple_.ports, strict=True):
        data += encode_property(kind, _WORD.pack(port)) if port else b""
    return data


def _wide(address: Address) -> bytes:
    return address if len(address) == 16 else _MAPPED + address
