"""Reads the flows and groups of a bridge: OFPMP_FLOW_DESC, OFPMP_AGGREGATE_STATS and OFPMP_GROUP_DESC."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from ovsnp.switch.openflow.connection import OpenFlow
from ovsnp.switch.openflow.match import EVERY_PACKET
from ovsnp.switch.openflow.message import DecodeError, entries

_OFPMP_FLOW_DESC = 1
_OFPMP_AGGREGATE_STATS = 2
_OFPMP_GROUP_DESC = 7
_OFPTT_ALL = 0xFF
_ANY = 0xFFFFFFFF
_OFPG_ALL = 0xFFFFFFFC
_OFPXSC_OPENFLOW_BASIC = 0x8002
_OFPXST_OFB_FLOW_COUNT = 3
_OFPXST_OFB_PACKET_COUNT = 4
_OFPXST_OFB_BYTE_COUNT = 5

_REQUEST = struct.Struct("!B3xII4xQQ")
_FLOW = struct.Struct("!H2xBxHHHHHQ")
_LENGTHS = struct.Struct("!HH")
_OXS = struct.Struct("!HBB")
_GROUP_REQUEST = struct.Struct("!I4x")
_GROUP = struct.Struct("!HBxIH6x")


class FlowEntry(NamedTuple):
    """A flow on the bridge (``struct ofp15_flow_desc``).

    ``match`` is the padded ``struct ofp11_match``; it and the instructions are as `encode_match` and
    `encode_instructions` write them. A flow of ovsnp has no timeouts, flags and importance, unless Open vSwitch
    learned it.
    """

    table: int
    priority: int
    cookie: int
    match: bytes
    instructions: bytes
    packets: int
    idle_timeout: int = 0
    hard_timeout: int = 0
    flags: int = 0
    importance: int = 0


class GroupEntry(NamedTuple):
    """A group on the bridge (``struct ofp15_group_desc_stats``): buckets and properties as `add_group` writes them."""

    id: int
    type: int
    buckets: bytes
    properties: bytes


class FlowCounters(NamedTuple):
    """The sums over flows."""

    flows: int
    packets: int
    bytes: int


def read_flows(
    connection: OpenFlow, table: int = _OFPTT_ALL, cookie: int = 0, cookie_mask: int = 0
) -> Iterator[FlowEntry]:
    """The flows of all tables, or of one, with these bits in their cookies; raises SwitchError."""
    data = connection.multipart(_OFPMP_FLOW_DESC, _request(table, cookie, cookie_mask))
    return (_flow(entry) for entry in entries(data, _FLOW.size))


def count_flows(connection: OpenFlow, table: int = _OFPTT_ALL, cookie: int = 0, cookie_mask: int = 0) -> FlowCounters:
    """The number of flows, and of packets and bytes that matched them; raises SwitchError."""
    data = connection.multipart(_OFPMP_AGGREGATE_STATS, _request(table, cookie, cookie_mask))
    counters, _ = _statistics(data)
    numbers = (_OFPXST_OFB_FLOW_COUNT, _OFPXST_OFB_PACKET_COUNT, _OFPXST_OFB_BYTE_COUNT)
    return FlowCounters(*(counters.get(number, 0) for number in numbers))


def read_groups(connection: OpenFlow) -> Iterator[GroupEntry]:
    """All groups; raises SwitchError."""
    data = connection.multipart(_OFPMP_GROUP_DESC, _GROUP_REQUEST.pack(_OFPG_ALL))
    return (_group(entry) for entry in entries(data, _GROUP.size))


def _request(table: int, cookie: int, cookie_mask: int) -> bytes:
    """``struct ofp11_flow_stats_request``."""
    return _REQUEST.pack(table, _ANY, _ANY, cookie, cookie_mask) + EVERY_PACKET


def _flow(entry: bytes) -> FlowEntry:
    _, table, priority, idle, hard, flags, importance, cookie = _FLOW.unpack_from(entry)
    rest = entry[_FLOW.size :]
    length = _padded_length(rest, 1)
    match = rest[:length]
    counters, instructions = _statistics(rest[length:])
    packets = counters.get(_OFPXST_OFB_PACKET_COUNT, 0)
    return FlowEntry(table, priority, cookie, match, instructions, packets, idle, hard, flags, importance)


def _statistics(data: bytes) -> tuple[dict[int, int], bytes]:
    """The values of ``struct ofp_oxs_stat`` by number, and the data behind it."""
    length = _padded_length(data, 0)
    (_, exact), values, start = _LENGTHS.unpack_from(data), {}, _LENGTHS.size
    while start < exact:
        if exact - start < _OXS.size:
            raise DecodeError("an OXS field that is shorter than its header")
        oxs_class, number, size = _OXS.unpack_from(data, start)
        start += _OXS.size
        if size > exact - start:
            raise DecodeError(f"an OXS field of class {oxs_class:#x} with length {size}")
        if oxs_class == _OFPXSC_OPENFLOW_BASIC:
            values[number >> 1] = int.from_bytes(data[start : start + size], "big")
        start += size
    return values, data[length:]


def _padded_length(data: bytes, kind: int) -> int:
    """The length, with padding, of a match (kind 1) or statistics (kind 0) at the start of data."""
    if len(data) < _LENGTHS.size:
        raise DecodeError("a flow that ends too early")
    found, length = _LENGTHS.unpack_from(data)
    whole = length + -length % 8
    if found != kind or not _LENGTHS.size <= length or whole > len(data):
        raise DecodeError(f"a part of a flow of type {found} with length {length}")
    return int(whole)


def _group(entry: bytes) -> GroupEntry:
    _, kind, number, length = _GROUP.unpack_from(entry)
    rest = entry[_GROUP.size :]
    if length > len(rest):
        raise DecodeError(f"a group with buckets of {length} bytes")
    return GroupEntry(number, kind, rest[:length], rest[length:])
