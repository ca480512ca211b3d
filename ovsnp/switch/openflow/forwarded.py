"""Tells of changes that others make to groups and meters: OFPT_REQUESTFORWARD (OpenFlow 1.5, section 7.4.7)."""

import struct
from typing import NamedTuple

from ovsnp.switch.openflow.connection import OpenFlow
from ovsnp.switch.openflow.message import HEADER, DecodeError, Message, MessageType

_OFPACPT_PACKET_IN_MASTER = 1
_OFPACPT_PORT_STATUS_MASTER = 3
_OFPACPT_FLOW_REMOVED_MASTER = 5
_OFPACPT_REQUESTFORWARD_MASTER = 11
_OFPRFR_GROUP_MOD = 0
_OFPRFR_METER_MOD = 1

_REASONS = {
    _OFPACPT_PACKET_IN_MASTER: 0,
    _OFPACPT_PORT_STATUS_MASTER: 0,
    _OFPACPT_FLOW_REMOVED_MASTER: 0,
    _OFPACPT_REQUESTFORWARD_MASTER: 1 << _OFPRFR_GROUP_MOD | 1 << _OFPRFR_METER_MOD,
}
"""For each kind of message, the reasons for which Open vSwitch shall send it, as bits."""

_PROPERTY = struct.Struct("!HHI")
"""``struct ofp14_async_prop``: type, length, and a bit for each reason."""

_NUMBER = struct.Struct("!4xI")
"""The beginning of ``struct ofp15_group_mod`` and of ``struct ofp13_meter_mod``."""


class ForwardedRequest(NamedTuple):
    """A request of another connection, GROUP_MOD or METER_MOD, that was carried out; ``number`` may stand for all."""

    type: int
    number: int


def watch_requests(connection: OpenFlow) -> None:
    """Ask for the requests of others about groups and meters, which ``unasked`` of the connection gets.

    SET_ASYNC makes Open vSwitch send the connection everything that it sends to a controller, also the reports of the
    drop log. The connection carries changes of flows, so it must get nothing else. Raises SwitchError.
    """
    properties = (_PROPERTY.pack(kind, _PROPERTY.size, reasons) for kind, reasons in _REASONS.items())
    connection.tell(Message(MessageType.SET_ASYNC, b"".join(properties)))


def forwarded_request(message: Message) -> ForwardedRequest | None:
    """The request that a message forwards; None if the message is about something else. Raises DecodeError."""
    if message.type != MessageType.REQUESTFORWARD:
        return None
    if len(message.body) < HEADER.size + _NUMBER.size:
        raise DecodeError(f"a forwarded request of {len(message.body)} bytes")
    _, kind, _, _ = HEADER.unpack_from(message.body)
    (number,) = _NUMBER.unpack_from(message.body, HEADER.size)
    return ForwardedRequest(kind, number)
