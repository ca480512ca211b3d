"""TCP, UDP and SCTP packets as Ethernet frames, of either family, with valid checksums: conntrack checks them."""

import struct
from enum import IntFlag
from ipaddress import ip_address
from typing import NamedTuple

from ovsnp.model.ports import Protocol

_NUMBERS = {Protocol.TCP: 6, Protocol.UDP: 17, Protocol.SCTP: 132}
_CHECKSUM_AT = {Protocol.TCP: 16, Protocol.UDP: 6}
_SCTP_LENGTH = 16
_COOKIE_ACK = 11
_CASTAGNOLI = 0x82F63B78
_ETHERTYPES = {4: 0x0800, 6: 0x86DD}


class Flag(IntFlag):
    """The flags of TCP; NONE for other protocols."""

    NONE = 0
    FIN = 1
    SYN = 2
    RST = 4
    ACK = 16


class End(NamedTuple):
    """An address and a port."""

    address: str
    port: int


class Packet(NamedTuple):
    """A packet of a connection, without data; ``hops`` is its TTL or hop limit.

    ``began`` is the sequence number of the sender's SYN, ``met`` that of the other SYN; `parse` does not read them.
    """

    protocol: Protocol
    source: End
    destination: End
    flags: Flag = Flag.NONE
    hops: int = 64
    began: int = 1000
    met: int = 1000

    def answer(self, flags: Flag = Flag.NONE) -> "Packet":
        """The packet that the receiver sends back."""
        return Packet(self.protocol, self.destination, self.source, flags)

    def between(self) -> tuple[End, End]:
        """The source and the destination."""
        return self.source, self.destination


def frame(packet: Packet, source_mac: int, destination_mac: int) -> str:
    """The packet as an Ethernet frame, in hexadecimal digits."""
    source, destination = (ip_address(end.address) for end in packet.between())
    ports = packet.source.port, packet.destination.port
    if packet.protocol is Protocol.TCP:
        sequence = packet.began if packet.flags & Flag.SYN else packet.began + 1
        acknowledged = packet.met + 1 if packet.flags & Flag.ACK else 0
        payload = struct.pack("!HHIIBBHHH", *ports, sequence, acknowledged, 5 << 4, packet.flags, 65535, 0, 0)
    elif packet.protocol is Protocol.UDP:
        payload = struct.pack("!HHHH", *ports, 12, 0) + b"ping"
    else:
        payload = _with_crc(struct.pack("!HHIIBBH", *ports, 1, 0, _COOKIE_ACK, 0, 4))
    number = _NUMBERS[packet.protocol]
    if packet.protocol in _CHECKSUM_AT:
        at = _CHECKSUM_AT[packet.protocol]
        pseudo = source.packed + destination.packed + struct.pack("!II", len(payload), number)
        payload = payload[:at] + _checksum(pseudo + payload) + payload[at + 2 :]
    header = _header(source.version, number, len(payload), packet.hops) + source.packed + destination.packed
    if source.version == 4:
        header = header[:10] + _checksum(header) + header[12:]
    macs = destination_mac.to_bytes(6, "big") + source_mac.to_bytes(6, "big")
    return (macs + struct.pack("!H", _ETHERTYPES[source.version]) + header + payload).hex()


def _header(version: int, number: int, length: int, hops: int) -> bytes:
    """An IP header up to the addresses."""
    if version == 4:
        return struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 0, 0x4000, hops, number, 0)
    return struct.pack("!IHBB", 6 << 28, length, number, hops)


def parse(data: bytes) -> Packet:
    """The packet in a frame; its checksums must be valid."""
    version = data[14] >> 4
    start, size = (26, 4) if version == 4 else (22, 16)
    addresses = data[start : start + size], data[start + size : start + 2 * size]
    number, hops = (data[23], data[22]) if version == 4 else (data[20], data[21])
    payload = data[start + 2 * size :]
    (protocol,) = (protocol for protocol, each in _NUMBERS.items() if each == number)
    if protocol is Protocol.SCTP:
        assert _with_crc(payload[:_SCTP_LENGTH]) == payload[:_SCTP_LENGTH]
    else:
        length = 20 if protocol is Protocol.TCP else struct.unpack("!H", payload[4:6])[0]
        pseudo = b"".join(addresses) + struct.pack("!II", length, number)
        assert _checksum(pseudo + payload[:length]) == b"\0\0"
    assert version == 6 or _checksum(data[14:34]) == b"\0\0"
    ports = struct.unpack("!HH", payload[:4])
    ends = [End(str(ip_address(address)), port) for address, port in zip(addresses, ports, strict=True)]
    flags = Flag(payload[13] & 0x17) if protocol is Protocol.TCP else Flag.NONE
    return Packet(protocol, *ends, flags, hops)


def _checksum(data: bytes) -> bytes:
    """The Internet checksum (RFC 1071)."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return struct.pack("!H", ~total & 0xFFFF)


def _with_crc(packet: bytes) -> bytes:
    """An SCTP packet with its checksum, a CRC32c (RFC 9260, appendix A)."""
    register = 0xFFFFFFFF
    for byte in packet[:8] + bytes(4) + packet[12:]:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (_CASTAGNOLI if register & 1 else 0)
    return packet[:8] + struct.pack("<I", register ^ 0xFFFFFFFF) + packet[12:]
