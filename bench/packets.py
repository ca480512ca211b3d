"""Ethernet frames of TCP handshakes and UDP exchanges, with valid checksums: conntrack checks them."""

import struct
from enum import IntFlag
from ipaddress import IPv4Address
from typing import NamedTuple

_TCP, _UDP = 6, 17


class Flag(IntFlag):
    """The flags of TCP."""

    SYN = 2
    ACK = 16


class End(NamedTuple):
    """One end of a connection on the wire."""

    mac: int
    address: IPv4Address
    port: int


def tcp(source: End, destination: End, flags: Flag, numbers: tuple[int, int]) -> str:
    """A segment without data, in hexadecimal digits; ``numbers`` are sequence and acknowledgement."""
    header = struct.pack("!HHIIBBHHH", source.port, destination.port, *numbers, 5 << 4, flags, 65535, 0, 0)
    return _frame(source, destination, _TCP, _with_checksum(source, destination, _TCP, header, 16))


def udp(source: End, destination: End) -> str:
    """A datagram with four bytes of data, in hexadecimal digits."""
    datagram = struct.pack("!HHHH", source.port, destination.port, 12, 0) + b"ping"
    return _frame(source, destination, _UDP, _with_checksum(source, destination, _UDP, datagram, 6))


def announcement(holder: End) -> str:
    """A gratuitous ARP, from which a learning switch learns the port of the holder."""
    mac, address = holder.mac.to_bytes(6, "big"), holder.address.packed
    arp = struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 1, mac, address, bytes(6), address)
    return (b"\xff" * 6 + mac + b"\x08\x06" + arp).hex()


def _frame(source: End, destination: End, protocol: int, payload: bytes) -> str:
    ends = source.address.packed + destination.address.packed
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0x4000, 64, protocol, 0) + ends
    header = header[:10] + _checksum(header) + header[12:]
    macs = destination.mac.to_bytes(6, "big") + source.mac.to_bytes(6, "big")
    return (macs + b"\x08\x00" + header + payload).hex()


def _with_checksum(source: End, destination: End, protocol: int, payload: bytes, offset: int) -> bytes:
    pseudo = source.address.packed + destination.address.packed + struct.pack("!HH", protocol, len(payload))
    return payload[:offset] + _checksum(pseudo + payload) + payload[offset + 2 :]


def _checksum(data: bytes) -> bytes:
    """The Internet checksum (RFC 1071)."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return struct.pack("!H", ~(total + (total >> 16)) & 0xFFFF)
