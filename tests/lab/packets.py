"""Builds packets byte by byte, as no honest stack sends them, and watches the packets that arrive."""

import select
import socket
import struct
import time
from collections.abc import Iterable, Sequence
from typing import Self

from ovsnp.model.address import parse_address
from tests.support.lab_datapath import patient

TUNNEL_PORTS = {"geneve": 6081, "vxlan": 4789}
TCP, UDP, ICMPV6 = 6, 17, 58
_ETHER_TYPE = {4: 0x0800, 6: 0x86DD}


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ethernet(destination: bytes, source: bytes, packet: bytes) -> bytes:
    """A frame around an IP packet."""
    return destination + source + struct.pack("!H", _ETHER_TYPE[packet[0] >> 4]) + packet


def ip(source: str, destination: str, protocol: int, payload: bytes, fragment: int = 0) -> bytes:
    """An IP packet of the addresses' family; ``fragment`` is the flags and offset of an IPv4 header."""
    one, other = parse_address(source), parse_address(destination)
    if len(one) == 16:
        return struct.pack("!IHBB", 6 << 28, len(payload), protocol, 64) + one + other + payload
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 4711, fragment, 64, protocol, 0) + one + other
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + payload


def _summed(source: str, destination: str, protocol: int, segment: bytes, place: int) -> bytes:
    """A segment with the checksum at that offset; the checksum covers the addresses too."""
    pseudo = parse_address(source) + parse_address(destination) + struct.pack("!II", len(segment), protocol)
    return segment[:place] + struct.pack("!H", checksum(pseudo + segment)) + segment[place + 2 :]


def udp(source: str, destination: str, ports: tuple[int, int], payload: bytes) -> bytes:
    """A complete IP packet with a UDP datagram."""
    segment = struct.pack("!HHHH", *ports, 8 + len(payload), 0) + payload
    return ip(source, destination, UDP, _summed(source, destination, UDP, segment, 6))


def syn(source: str, destination: str, ports: tuple[int, int], payload: bytes) -> bytes:
    """A complete IP packet that opens a TCP connection and already carries data."""
    segment = struct.pack("!HHIIBBHHH", *ports, 1, 0, 5 << 4, 2, 1024, 0, 0) + payload
    return ip(source, destination, TCP, _summed(source, destination, TCP, segment, 16))


def arp(operation: int, sender: tuple[bytes, str], target: tuple[bytes, str], to: bytes) -> bytes:
    """A frame with an ARP packet, from the sender's MAC address."""
    body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, operation)
    for mac, address in (sender, target):
        body += mac + parse_address(address)
    return to + sender[0] + b"\x08\x06" + body


def neighbor(kind: int, frame: tuple[bytes, bytes], addresses: tuple[str, str], target: str, mac: bytes) -> bytes:
    """A frame with a neighbour solicitation (135) or advertisement (136) that claims ``target`` for ``mac``."""
    option = struct.pack("!BB", 1 if kind == 135 else 2, 1) + mac
    flags = 0 if kind == 135 else 0b001 << 29
    message = struct.pack("!BBHI", kind, 0, 0, flags) + parse_address(target) + option
    packet = ip(*addresses, ICMPV6, _summed(*addresses, ICMPV6, message, 2))
    # Neighbour discovery accepts only packets that no router forwarded: hop limit 255 (RFC 4861, 7.1).
    return ethernet(*frame, packet[:7] + b"\xff" + packet[8:])


def geneve_option(address: str, *, critical: bool = False, padding: bytes = b"") -> bytes:
    """The option that carries a source pod's address."""
    data = parse_address(address) + padding
    return (
        struct.pack("!HBB", 0xFFFF, (1 if len(parse_address(address)) == 4 else 2) | critical << 7, len(data) // 4)
        + data
    )


def geneve(number: int, options: Iterable[bytes], frame: bytes) -> bytes:
    """The payload of a Geneve tunnel's UDP datagram (RFC 8926); the number (VNI) 1 means that there is an option."""
    joined = b"".join(options)
    return struct.pack("!BBHI", len(joined) // 4, 0, 0x6558, number << 8) + joined + frame


def vxlan(number: int, frame: bytes) -> bytes:
    """The payload of a VXLAN tunnel's UDP datagram (RFC 7348)."""
    return struct.pack("!II", 8 << 24, number << 8) + frame


class Watch:
    """The packets that come in at a host's interface from now on."""

    def __init__(self, opened: socket.socket) -> None:
        """Takes a socket of the family AF_PACKET."""
        self._socket = opened
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        opened.bind(("eth1", 0x0003))  # ETH_P_ALL

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def seen(self, traces: Sequence[bytes], until: bytes, patience: float = 3.0, after: float = 0.15) -> set[bytes]:
        """The traces that came in until ``until`` did and shortly after, ``until`` among them; times are in seconds."""
        found: set[bytes] = set()
        deadline = time.monotonic() + patient(patience)
        while (left := deadline - time.monotonic()) > 0:
            ready, _, _ = select.select([self._socket], [], [], left)
            if not ready:
                break
            data, address = self._socket.recvfrom(65535)
            if address[2] == socket.PACKET_OUTGOING:
                continue
            if until in data and until not in found:
                deadline = time.monotonic() + patient(after)
            found |= {trace for trace in (*traces, until) if trace in data}
        return found
