"""Meters: ``struct ofp13_meter_mod`` and ``struct ofp13_meter_stats``, which OpenFlow 1.5 uses too."""

import struct
from enum import IntEnum
from typing import NamedTuple

from ovsnp.switch.openflow.connection import OpenFlow, OpenFlowRefusedError
from ovsnp.switch.openflow.message import DecodeError, Message, MessageType

_OFPMF_PKTPS = 1 << 1
_OFPMF_BURST = 1 << 2
_OFPMF_STATS = 1 << 3
_OFPMBT_DROP = 1
_OFPMP_METER = 9

_MOD = struct.Struct("!HHI")
_BAND = struct.Struct("!HHII4x")
_REQUEST = struct.Struct("!I4x")
_STATISTICS = struct.Struct("!IH6xIQQII")
_BAND_STATISTICS = struct.Struct("!QQ")


class MeterCommand(IntEnum):
    """``enum ofp13_meter_mod_command``."""

    ADD = 0
    MODIFY = 1
    DELETE = 2


class Meter(NamedTuple):
    """A meter that lets ``rate`` packets pass a second, and ``burst`` packets at once."""

    id: int
    rate: int
    burst: int


class MeterStatistics(NamedTuple):
    """The number of packets that came to a meter, and that the meter dropped."""

    packets: int
    dropped: int


def put_meter(connection: OpenFlow, meter: Meter) -> None:
    """Add a meter, or change the meter with this number; raises SwitchError."""
    try:
        connection.tell(encode_meter(MeterCommand.MODIFY, meter))
    except OpenFlowRefusedError as error:
        if error.error != "OFPMMFC_UNKNOWN_METER":
            raise
        connection.tell(encode_meter(MeterCommand.ADD, meter))


def delete_meter(connection: OpenFlow, number: int) -> None:
    """Delete a meter, and all flows that use it; no error if there is no such meter."""
    connection.tell(Message(MessageType.METER_MOD, _MOD.pack(MeterCommand.DELETE, 0, number)))


def meter_statistics(connection: OpenFlow, number: int) -> MeterStatistics:
    """The counters of a meter; raises SwitchError."""
    reply = connection.multipart(_OFPMP_METER, _REQUEST.pack(number))
    if len(reply) < _STATISTICS.size + _BAND_STATISTICS.size:
        raise DecodeError(f"statistics of a meter in {len(reply)} bytes")
    packets, dropped = _STATISTICS.unpack_from(reply)[3], _BAND_STATISTICS.unpack_from(reply, _STATISTICS.size)[0]
    return MeterStatistics(packets, dropped)


def encode_meter(command: MeterCommand, meter: Meter) -> Message:
    """OFPT_METER_MOD: packets a second, with a burst, and counted."""
    head = _MOD.pack(command, _OFPMF_PKTPS | _OFPMF_BURST | _OFPMF_STATS, meter.id)
    return Message(MessageType.METER_MOD, head + _BAND.pack(_OFPMBT_DROP, _BAND.size, meter.rate, meter.burst))
