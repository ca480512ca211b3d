"""Tells of changes that others make to the flows: ``struct ofp14_flow_monitor_request``, in OpenFlow 1.5 too."""

import struct
from enum import IntEnum
from typing import NamedTuple

from ovsnp.switch.openflow.connection import OpenFlow
from ovsnp.switch.openflow.match import EVERY_PACKET
from ovsnp.switch.openflow.message import Message, MessageType, entries

_OFPMP_FLOW_MONITOR = 16
_MONITOR = 1
_ANY = 0xFFFFFFFF
_OFPTT_ALL = 0xFF
_OFPFMC_ADD = 0
_OFPFMF_ADD = 1 << 1
_OFPFMF_REMOVED = 1 << 2
_OFPFMF_MODIFY = 1 << 3

_REQUEST = struct.Struct("!IIIHBB")
_MULTIPART = struct.Struct("!HH4x")
_HEADER = struct.Struct("!HH")
_FULL = struct.Struct("!4xBx4xH4xQ")


class FlowEventKind(IntEnum):
    """``enum ofp_flow_update_event``, without the abbreviations of the connection's own changes.

    PAUSED: so much has changed that Open vSwitch tells of no more changes for a while; the flows must be read again.
    """

    ADDED = 1
    REMOVED = 2
    MODIFIED = 3
    PAUSED = 5


class FlowEvent(NamedTuple):
    """A change of a flow by another connection, by a timeout or by ``learn``; PAUSED has no flow."""

    kind: FlowEventKind
    table: int = 0
    priority: int = 0
    cookie: int = 0
    match: bytes = b""


def watch_flows(connection: OpenFlow) -> None:
    """Ask for messages about changes of flows, which ``unasked`` of the connection gets; raises SwitchError."""
    flags = _OFPFMF_ADD | _OFPFMF_REMOVED | _OFPFMF_MODIFY
    request = _REQUEST.pack(_MONITOR, _ANY, _ANY, flags, _OFPTT_ALL, _OFPFMC_ADD)
    connection.multipart(_OFPMP_FLOW_MONITOR, request + EVERY_PACKET)


def flow_events(message: Message) -> list[FlowEvent]:
    """The changes of which a message tells; none if the message is about something else. Raises DecodeError."""
    if message.type != MessageType.MULTIPART_REPLY or len(message.body) < _MULTIPART.size:
        return []
    kind, _ = _MULTIPART.unpack_from(message.body)
    if kind != _OFPMP_FLOW_MONITOR:
        return []
    found = map(_event, entries(message.body[_MULTIPART.size :], _HEADER.size))
    return [event for event in found if event]


def _event(entry: bytes) -> FlowEvent | None:
    _, number = _HEADER.unpack_from(entry)
    if number == FlowEventKind.PAUSED:
        return FlowEvent(FlowEventKind.PAUSED)
    if number not in (FlowEventKind.ADDED, FlowEventKind.REMOVED, FlowEventKind.MODIFIED) or len(entry) < _FULL.size:
        return None
    table, priority, cookie = _FULL.unpack_from(entry)
    return FlowEvent(FlowEventKind(number), table, priority, cookie, entry[_FULL.size :])
