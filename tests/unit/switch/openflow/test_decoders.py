"""Decoders raise nothing but their own error, whatever bytes come."""

import struct
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovsnp.pipeline import fields as f
from ovsnp.pipeline import registers as r
from ovsnp.switch.openflow.configuration import shows_fragments
from ovsnp.switch.openflow.connection import OpenFlow
from ovsnp.switch.openflow.error import error_name
from ovsnp.switch.openflow.match import EVERY_PACKET, encode_field
from ovsnp.switch.openflow.message import DecodeError, Message, MessageType, encode_property
from ovsnp.switch.openflow.meter import meter_statistics
from ovsnp.switch.openflow.monitor import flow_events
from ovsnp.switch.openflow.nicira import Subtype, encode_nicira
from ovsnp.switch.openflow.packet_in import decode_packet_in
from ovsnp.switch.openflow.tables import FlowEntry, count_flows, read_flows, read_groups
from ovsnp.switch.openflow.tlv_table import read_options

PACKET_IN = encode_nicira(
    Subtype.PACKET_IN2,
    encode_property(0, b"the packet")
    + encode_property(1, struct.pack("!I", 1500))
    + encode_property(3, b"\x96")
    + encode_property(4, struct.pack("!4xQ", 0x0A5E << 48))
    + encode_property(5, b"\x01")
    + encode_property(
        6,
        encode_field(f.IN_PORT.oxm, 7)
        + encode_field(r.PACKET_REGISTERS[0], 2 << 32 | 5, 3 << 32 | 7)
        + encode_field(r.PACKET_REGISTERS[6], 1)
        + encode_field(r.PACKET_REGISTERS[7], 2)
        + encode_field(f.CT_MARK.oxm, 9),
    )
    + encode_property(7, b"ours"),
)

_STATISTICS = struct.pack("!HHHBBQHBBQ4x", 0, 28, 0x8002, 4 << 1, 8, 3, 0x8002, 5 << 1, 8, 180)
ENTRY = struct.pack("!H2xBxHHHHHQ", 64, 90, 7, 0, 0, 0, 0, 5) + EVERY_PACKET + _STATISTICS
"""A flow of table 90, priority 7 and cookie 5, which three packets have matched."""

_MONITOR_REPLY = struct.pack("!HH4x", 16, 0)

ANSWERS: list[Callable[[OpenFlow], object]] = [
    count_flows,
    lambda connection: list(read_flows(connection)),
    lambda connection: list(read_groups(connection)),
    lambda connection: meter_statistics(connection, 1),
    read_options,
    shows_fragments,
    lambda connection: flow_events(Message(MessageType.MULTIPART_REPLY, connection.multipart(0))),
    lambda connection: flow_events(Message(MessageType.MULTIPART_REPLY, _MONITOR_REPLY + connection.multipart(0))),
]


class Canned(OpenFlow):
    """Answers every request with the same message."""

    def __init__(self, answer: Message) -> None:
        self._answer = answer

    def request(self, message: Message) -> Message:
        return self._answer

    def multipart(self, kind: int, body: bytes = b"") -> bytes:
        return self._answer.body


def test_flow_is_read() -> None:
    assert (
        list(read_flows(Canned(Message(MessageType.MULTIPART_REPLY, ENTRY * 2))))
        == [FlowEntry(90, 7, 5, EVERY_PACKET, b"", 3)] * 2
    )


def test_packet_in_is_read() -> None:
    found = decode_packet_in(PACKET_IN)
    assert found[:5] == (150, 0x0A5E << 48, b"ours", b"the packet", 1500)
    assert found.value(f.IN_PORT) == 7
    assert found.value(r.ORIGIN) == 2
    assert found.value(r.EGRESS_SUBJECT) == 5
    assert found.value(r.EGRESS_PEER) == 0
    assert found.value(r.CARRIED_SOURCE[6]) == 1 << 64 | 2
    assert found.value(f.CT_MARK) == 9


def test_packet_in_with_nothing_in_it() -> None:
    assert decode_packet_in(encode_nicira(Subtype.PACKET_IN2)) == (0, 0, b"", b"", 0, {})


@given(st.binary(max_size=300))
def test_arbitrary_packet_in(data: bytes) -> None:
    for message in (Message(MessageType.EXPERIMENTER, data), encode_nicira(Subtype.PACKET_IN2, data)):
        with suppress(DecodeError):
            decode_packet_in(message)


@given(
    st.lists(st.tuples(st.integers(0, len(PACKET_IN.body) - 1), st.integers(0, 255)), max_size=4),
    st.integers(0, len(PACKET_IN.body)),
)
def test_damaged_packet_in(changes: list[tuple[int, int]], end: int) -> None:
    body = bytearray(PACKET_IN.body)
    for place, value in changes:
        body[place] = value
    with suppress(DecodeError):
        decode_packet_in(Message(MessageType.EXPERIMENTER, bytes(body[:end])))


@given(st.lists(st.tuples(st.integers(0, 9), st.binary(max_size=20)), max_size=5))
def test_packet_in_of_arbitrary_properties(found: list[tuple[int, bytes]]) -> None:
    body = b"".join(encode_property(kind, data) for kind, data in found)
    with suppress(DecodeError):
        decode_packet_in(encode_nicira(Subtype.PACKET_IN2, body))


@pytest.mark.parametrize("data", [b"\x80", b"\x80\x00\x00\x04\x00", b"\xff\xff\xff\xff"])
def test_metadata_that_ends_too_early(data: bytes) -> None:
    with pytest.raises(DecodeError, match="an OXM field"):
        decode_packet_in(encode_nicira(Subtype.PACKET_IN2, encode_property(6, data)))


def test_counters_that_end_too_early() -> None:
    statistics = struct.pack("!HHHBB5s3s", 0, 16, 0x8002, 4 << 1, 5, b"", b"")
    with pytest.raises(DecodeError, match="an OXS field"):
        count_flows(Canned(Message(MessageType.MULTIPART_REPLY, statistics)))


@given(st.lists(st.tuples(st.integers(0, len(ENTRY) - 1), st.integers(0, 255)), max_size=3), st.integers(0, len(ENTRY)))
def test_damaged_flow(changes: list[tuple[int, int]], end: int) -> None:
    entry = bytearray(ENTRY)
    for place, value in changes:
        entry[place] = value
    answer = Canned(Message(MessageType.MULTIPART_REPLY, bytes(entry[:end])))
    with suppress(DecodeError):
        list(read_flows(answer))
    with suppress(DecodeError):
        list(read_groups(answer))


@given(st.binary(max_size=80))
def test_arbitrary_error(data: bytes) -> None:
    try:
        assert error_name(data)
    except DecodeError:
        assert len(data) < 8


@pytest.mark.parametrize("kind", [0, 1, 2, 3, 4, 5, 6, 10, 12, 14, 17, 99])
def test_every_code_of_an_error_has_words(kind: int) -> None:
    for code in range(30):
        assert error_name(struct.pack("!HH", kind, code))
    assert error_name(struct.pack("!HH", 99, 3)) == "error of type 99, code 3"


def test_names_are_those_of_ovs_ofctl() -> None:
    assert error_name(struct.pack("!HH", 5, 1)) == "OFPFMFC_TABLE_FULL"
    assert error_name(struct.pack("!HH", 17, 14)) == "OFPBFC_TIMEOUT"
    assert error_name(struct.pack("!HHI", 0xFFFF, 20, 0x2320)) == "NXTTMFC_ALREADY_MAPPED"


@pytest.mark.parametrize("ask", ANSWERS)
@given(
    data=st.binary(max_size=120),
    kind=st.sampled_from([MessageType.EXPERIMENTER, MessageType.GET_CONFIG_REPLY, MessageType.ERROR]),
)
def test_arbitrary_answer(ask: Callable[[OpenFlow], object], data: bytes, kind: MessageType) -> None:
    head = encode_nicira(Subtype.TLV_TABLE_REPLY).body if kind is MessageType.EXPERIMENTER else b""
    for answer in (data, head + data):
        with suppress(DecodeError):
            ask(Canned(Message(kind, answer)))
