"""Bundles: ``struct ofp14_bundle_ctrl_msg``, which OpenFlow 1.5 uses too. A bundle is committed as a whole."""

import struct
from enum import IntEnum

from ovsnp.switch.openflow.message import HEADER, LONGEST, Message, MessageType

_OFPBF_ATOMIC = 1 << 0
_OFPBF_ORDERED = 1 << 1
_FLAGS = _OFPBF_ATOMIC | _OFPBF_ORDERED

_BODY = struct.Struct("!IHH")

MOST = LONGEST - 2 * HEADER.size - _BODY.size
"""The most bytes of the body of a message in a bundle."""


class BundleControl(IntEnum):
    """``enum ofp14_bundle_ctrl_type``, the requests."""

    OPEN = 0
    COMMIT = 4
    DISCARD = 6


def control_bundle(bundle: int, control: BundleControl, xid: int) -> Message:
    """Open, commit or discard an atomic, ordered bundle."""
    return Message(MessageType.BUNDLE_CONTROL, _BODY.pack(bundle, control, _FLAGS), xid)


def add_to_bundle(bundle: int, message: Message) -> Message:
    """Add a message to an open bundle; the outer message has the inner message's transaction id."""
    return Message(MessageType.BUNDLE_ADD_MESSAGE, _BODY.pack(bundle, 0, _FLAGS) + message.packed, message.xid)
