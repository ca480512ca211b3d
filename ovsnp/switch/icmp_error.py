"""ICMP errors: packets that conntrack takes for a part of another connection (RFC 792, RFC 4443)."""

import struct

from ovsnp.model.address import Address, family, parse_address
from ovsnp.switch.conntrack import Tracked

_ICMP, _ICMPV6 = 1, 58
_PROHIBITED = {4: (3, 13), 6: (1, 1)}
"""Type and code of the error: communication administratively prohibited."""

_QUOTED = 20
"""The bytes that are quoted of the packet's payload: the longest header of a protocol that conntrack knows, TCP's."""

_ETHERNET = {4: bytes(12) + b"\x08\x00", 6: bytes(12) + b"\x86\xdd"}
_IPV4 = struct.Struct("!BBHHHBBH")
_IPV6 = struct.Struct("!IHBB")
_PSEUDO = struct.Struct("!II")
_HOPS = 64


def icmp_error(tracked: Tracked) -> bytes:
    """An Ethernet frame with an error about a connection, sent by the server to the client.

    The error quotes a packet of the client as the server gets it. Conntrack finds the connection by the addresses and
    ports in it, and does not ask whether TCP's sequence numbers are in the window.
    """
    client, server = parse_address(tracked.answered), parse_address(tracked.answers)
    version, quoted = family(client), _opening(tracked).ljust(_QUOTED, b"\0")
    error = bytes((*_PROHIBITED[version], 0, 0)) + bytes(4) + _ip(client, server, tracked.protocol_number, quoted)
    protocol = _ICMP if version == 4 else _ICMPV6
    covered = error if version == 4 else server + client + _PSEUDO.pack(len(error), protocol) + error
    return _ETHERNET[version] + _ip(server, client, protocol, error[:2] + _checksum(covered) + error[4:])


def _opening(tracked: Tracked) -> bytes:
    """The first eight bytes of the payload of the client's packet, as the server gets it."""
    if tracked.icmp:
        kind, code, identifier = tracked.icmp
        return struct.pack("!BBHHH", kind, code, 0, identifier, 0)
    return struct.pack("!HHI", tracked.answered_port, tracked.answering_port, 0)


def _ip(source: Address, destination: Address, protocol: int, payload: bytes) -> bytes:
    if len(source) == 16:
        return _IPV6.pack(6 << 28, len(payload), protocol, _HOPS) + source + destination + payload
    header = _IPV4.pack(4 << 4 | 5, 0, _IPV4.size + 8 + len(payload), 0, 0, _HOPS, protocol, 0) + source + destination
    return header[:10] + _checksum(header) + header[12:] + payload


def _checksum(data: bytes) -> bytes:
    """The Internet checksum (RFC 1071) of an even number of bytes."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    # Sums of 16-bit words modulo 65535 are sums with end-around carry.
    return struct.pack("!H", 0xFFFF - (total % 0xFFFF or 0xFFFF))
