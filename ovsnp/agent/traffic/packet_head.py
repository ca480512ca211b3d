"""Reads the head of a packet that anybody may have made.

Every field has its fixed place, and nothing is read in a loop: a second VLAN tag, an extension header of IPv6, and a
header that is cut off end the reading. No packet raises an error.
"""

import struct
from typing import NamedTuple

from ovsnp.model.address import Address
from ovsnp.pipeline.fields import ETH_TYPE, IP_PROTO

_ETH_TYPE_AT = 12
_VLAN_LENGTH = 4
_VLAN_TYPES = (0x8100, 0x88A8)
_IPV4, _IPV6 = 20, 40
_LATER_FRAGMENT = 0x1FFF
_ICMP = {4: 1, 6: 58}
_WITH_PORTS = frozenset(IP_PROTO.values())
_NUMBER = struct.Struct("!H")
_PORTS = struct.Struct("!HH")
_TYPE = struct.Struct("!B")


class PacketHead(NamedTuple):
    """The ends of a packet: ``ports`` are source and destination, ``icmp_type`` is of ICMP or ICMPv6; None: unknown.

    ``protocol`` is the IP protocol, of IPv6 the first next header.
    """

    source: Address
    destination: Address
    protocol: int
    ports: tuple[int, int] | None = None
    icmp_type: int | None = None


def read_head(packet: bytes) -> PacketHead | None:
    """The head of an Ethernet frame with IP; None if it is no IP, or too short for its addresses."""
    at = _ETH_TYPE_AT
    kind = _at(_NUMBER, packet, at)
    if kind and kind[0] in _VLAN_TYPES:
        at += _VLAN_LENGTH
        kind = _at(_NUMBER, packet, at)
    payload = packet[at + _NUMBER.size :]
    if kind == (ETH_TYPE[4],) and len(payload) >= _IPV4 and payload[0] >> 4 == 4:
        return _read_ipv4(payload)
    if kind == (ETH_TYPE[6],) and len(payload) >= _IPV6 and payload[0] >> 4 == 6:
        return _with_ports(PacketHead(Address(payload[8:24]), Address(payload[24:40]), payload[6]), 6, payload[_IPV6:])
    return None


def _read_ipv4(payload: bytes) -> PacketHead:
    length, (fragment,) = (payload[0] & 0xF) * 4, _NUMBER.unpack_from(payload, 6)
    head = PacketHead(Address(payload[12:16]), Address(payload[16:20]), payload[9])
    if length < _IPV4 or fragment & _LATER_FRAGMENT:
        return head
    return _with_ports(head, 4, payload[length:])


def _with_ports(head: PacketHead, version: int, data: bytes) -> PacketHead:
    if head.protocol in _WITH_PORTS and (ports := _at(_PORTS, data, 0)):
        return head._replace(ports=(ports[0], ports[1]))
    if head.protocol == _ICMP[version] and (kind := _at(_TYPE, data, 0)):
        return head._replace(icmp_type=kind[0])
    return head


def _at(number: struct.Struct, data: bytes, start: int) -> tuple[int, ...] | None:
    """The numbers at a place; None if the data ends before."""
    return number.unpack_from(data, start) if len(data) >= start + number.size else None
