"""The head of a packet that anybody may have made: what is read, and that nothing raises."""

import random

import pytest

from ovsnp.agent.traffic.packet_head import PacketHead, read_head
from ovsnp.model.address import parse_address
from ovsnp.model.ports import Protocol
from tests.ovs.frames import End, Flag, Packet, frame

A4, B4, A6, B6 = map(parse_address, ("10.20.1.9", "10.20.1.10", "fd00:20:1::9", "fd00:20:1::10"))
ENDS = {
    4: (End("10.20.1.9", 40000), End("10.20.1.10", 6379)),
    6: (End("fd00:20:1::9", 40000), End("fd00:20:1::10", 6379)),
}
PROTOCOLS = {Protocol.TCP: 6, Protocol.UDP: 17, Protocol.SCTP: 132}


def packet(version: int, protocol: Protocol = Protocol.TCP) -> bytes:
    return bytes.fromhex(frame(Packet(protocol, *ENDS[version], Flag.SYN), 1, 2))


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("protocol", Protocol)
def test_ends_of_a_packet(version: int, protocol: Protocol) -> None:
    ends = (A4, B4) if version == 4 else (A6, B6)
    expected = PacketHead(*ends, PROTOCOLS[protocol], (40000, 6379))
    data = packet(version, protocol)
    assert read_head(data) == expected
    assert read_head(data[:12] + b"\x81\x00\x00\x05" + data[12:]) == expected


def test_icmp_has_a_type_and_no_ports() -> None:
    data = packet(4)
    assert read_head(data[:23] + b"\x01" + data[24:34] + b"\x08\x00") == PacketHead(A4, B4, 1, None, 8)
    data = packet(6)
    assert read_head(data[:20] + b"\x3a" + data[21:54] + b"\x80\x00") == PacketHead(A6, B6, 58, None, 128)


def test_options_of_ipv4_are_passed_over() -> None:
    data = packet(4)
    assert read_head(data[:14] + b"\x46" + data[15:34] + bytes(4) + data[34:]) == PacketHead(A4, B4, 6, (40000, 6379))


def test_later_fragment_has_no_ports() -> None:
    data = packet(4)
    assert read_head(data[:20] + b"\x00\x01" + data[22:]) == PacketHead(A4, B4, 6)


def test_extension_header_ends_the_reading() -> None:
    data = packet(6)
    assert read_head(data[:20] + b"\x00" + data[21:54] + b"\x00" * 8 + data[54:]) == PacketHead(A6, B6, 0)


@pytest.mark.parametrize("version", [4, 6])
def test_cut_packet_has_what_it_has(version: int) -> None:
    data = packet(version)
    addresses = 34 if version == 4 else 54
    for length in range(len(data)):
        head = read_head(data[:length])
        assert (head is None) == (length < addresses)
        assert head is None or (head.ports is None) == (length < addresses + 4)


def test_two_tags_and_other_kinds_are_no_ip() -> None:
    data = packet(4)
    assert read_head(data[:12] + b"\x81\x00\x00\x05" * 2 + data[12:]) is None
    assert read_head(data[:12] + b"\x08\x06" + data[14:]) is None
    assert read_head(data[:14] + b"\x65" + data[15:]) is None


def test_arbitrary_bytes_never_raise() -> None:
    chance = random.Random(7)
    for _ in range(20_000):
        data = bytearray(packet(chance.choice((4, 6)), chance.choice(list(Protocol))))
        for _ in range(chance.randrange(6)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        read_head(bytes(data[: chance.randrange(len(data) + 1)]))
        read_head(chance.randbytes(chance.randrange(80)))
