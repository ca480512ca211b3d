"""``struct ofp_switch_config``: the handling of fragments, and the packets that come over a connection."""

import struct

from ovsnp.switch.openflow.connection import OpenFlow
from ovsnp.switch.openflow.message import DecodeError, Message, MessageType
from ovsnp.switch.openflow.nicira import Subtype, encode_nicira

_OFPC_FRAG_MASK = _OFPC_FRAG_NX_MATCH = 3
_NXT_PACKET_IN2 = struct.pack("!I", 2)
"""The format of packet-ins (``enum ofputil_packet_in_format``)."""

_BODY = struct.Struct("!HH")


def shows_fragments(connection: OpenFlow) -> bool:
    """True if the bridge shows flows the ports of a datagram's first fragment (``get-frags``: nx-match)."""
    flags, _ = _read(connection)
    return flags & _OFPC_FRAG_MASK == _OFPC_FRAG_NX_MATCH


def show_fragments(connection: OpenFlow) -> None:
    """Make the bridge show flows the ports of a datagram's first fragment; ovs-vswitchd loses this when it ends."""
    flags, length = _read(connection)
    connection.tell(encode_configuration(flags & ~_OFPC_FRAG_MASK | _OFPC_FRAG_NX_MATCH, length))


def receive_packets(connection: OpenFlow, longest: int = 128) -> None:
    """Ask for the packets that flows send to controllers, on this connection, as NXT_PACKET_IN2.

    The management socket gives a connection packets only if the connection has set the number of bytes of a packet
    that no flow matches, ``longest``, to more than 0.
    """
    flags, _ = _read(connection)
    connection.tell(
        encode_nicira(Subtype.SET_PACKET_IN_FORMAT, _NXT_PACKET_IN2),
        encode_configuration(flags, longest),
    )


def encode_configuration(flags: int, longest: int) -> Message:
    """OFPT_SET_CONFIG."""
    return Message(MessageType.SET_CONFIG, _BODY.pack(flags, longest))


def _read(connection: OpenFlow) -> tuple[int, int]:
    """The flags, and the length of packets that no flow matches."""
    reply = connection.request(Message(MessageType.GET_CONFIG_REQUEST))
    if reply.type != MessageType.GET_CONFIG_REPLY or len(reply.body) != _BODY.size:
        raise DecodeError(f"a configuration of {len(reply.body)} bytes")
    flags, length = _BODY.unpack(reply.body)
    return flags, length
