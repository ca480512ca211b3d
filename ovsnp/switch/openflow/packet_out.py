"""Packets that the controller hands to the bridge: ``struct ofp15_packet_out``."""

import struct
from collections.abc import Iterable

from ovsnp.flows.action import Action
from ovsnp.flows.match import Match, exactly
from ovsnp.pipeline import fields as f
from ovsnp.switch.openflow.actions import encode_actions
from ovsnp.switch.openflow.match import encode_match
from ovsnp.switch.openflow.message import Message, MessageType

_OFP_NO_BUFFER = 0xFFFFFFFF
_OFPP_CONTROLLER = 0xFFFFFFFD

_HEAD = struct.Struct("!IH2x")
_FROM_CONTROLLER = encode_match(Match(terms=(exactly(f.IN_PORT, _OFPP_CONTROLLER),)))


def encode_packet_out(frame: bytes, actions: Iterable[Action]) -> Message:
    """Have the bridge carry out actions on an Ethernet frame; the frame passes no table."""
    encoded = encode_actions(actions)
    head = _HEAD.pack(_OFP_NO_BUFFER, len(encoded))
    return Message(MessageType.PACKET_OUT, head + _FROM_CONTROLLER + encoded + frame)
