"""``struct ofp11_flow_mod``, which OpenFlow 1.5 uses too: a modification of one flow."""

import struct

from ovsnp.flows.flow import Flow
from ovsnp.pipeline.cookies import USED
from ovsnp.switch.openflow.actions import encode_instructions
from ovsnp.switch.openflow.match import encode_match
from ovsnp.switch.openflow.message import Message, MessageType

_OFPFC_ADD = 0
_OFPFC_MODIFY_STRICT = 2
_OFPFC_DELETE_STRICT = 4
_NO_BUFFER = _ANY = 0xFFFFFFFF

_HEAD = struct.Struct("!QQBBHHHIIIHH")


def add_flow(flow: Flow) -> Message:
    """Add the flow."""
    return Message(MessageType.FLOW_MOD, _head(flow, _OFPFC_ADD, flow.cookie) + _body(flow))


def modify_flow(flow: Flow) -> Message:
    """Give the flow with the same table, priority and match these actions, whatever its cookie."""
    return Message(MessageType.FLOW_MOD, _head(flow, _OFPFC_MODIFY_STRICT) + _body(flow))


def delete_flow(flow: Flow) -> Message:
    """Delete the flow with the same table, priority and match, if it has the same cookie."""
    return delete_slot(flow.table_id, flow.priority, flow.cookie, encode_match(flow.match))


def delete_slot(table: int, priority: int, cookie: int, match: bytes) -> Message:
    """Delete the flow with this table, priority, cookie and encoded match (``struct ofp11_match``)."""
    return Message(MessageType.FLOW_MOD, _pack(table, priority, _OFPFC_DELETE_STRICT, cookie, USED) + match)


def _head(flow: Flow, command: int, cookie: int = 0) -> bytes:
    return _pack(flow.table_id, flow.priority, command, cookie, 0)


def _pack(table: int, priority: int, command: int, cookie: int, cookie_mask: int) -> bytes:
    return _HEAD.pack(cookie, cookie_mask, table, command, 0, 0, priority, _NO_BUFFER, _ANY, _ANY, 0, 0)


def _body(flow: Flow) -> bytes:
    return encode_match(flow.match) + encode_instructions(flow.actions)
