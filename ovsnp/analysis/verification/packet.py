"""Writes a packet in the form that ``ofproto/trace`` takes (ovs-fields(7))."""

from collections.abc import Iterator, Mapping

from ovsnp.analysis.verification.packet_classes.traffic import NAMES
from ovsnp.analysis.verification.simulator.places import OPTION_BITS
from ovsnp.flows.match import format_value
from ovsnp.model.address import Address, format_address
from ovsnp.pipeline.fields import ETH_SRC

_IPV4, _IPV6, _ARP = 0x0800, 0x86DD, 0x0806
_NAMES = {_IPV4: "ip", _IPV6: "ipv6", _ARP: "arp"}
_ICMP = {(_IPV4, 1): "icmp", (_IPV6, 58): "icmpv6"}
_ALWAYS = ("in_port", "vlan_tci", "tun_id")
_OF_IP = ("nw_tos", "nw_ttl")
_MACS = {"dl_src": None, "dl_dst": None, "arp_sha": _ARP, "nd_sll": _IPV6}
_ADDRESSES = {
    **dict.fromkeys(("nw_src", "nw_dst"), _IPV4),
    **dict.fromkeys(("ipv6_src", "ipv6_dst", "nd_target"), _IPV6),
    **dict.fromkeys(("arp_spa", "arp_tpa"), _ARP),
}
_TUNNEL_ENDS = {"tun_src": 4, "tun_ipv6_src": 16}
_OPTIONS = ("tun_metadata0", "tun_metadata1")
_OF_ICMP = {"nd_sll": (135,), "nd_target": (135, 136)}
"""The ICMPv6 types of the packets that have a field."""


def packet_text(fields: Mapping[str, int]) -> str:
    """The text of a packet, from the values of its fields by base; fields that it cannot have are left out."""
    absent = {name for name, types in _OF_ICMP.items() if fields.get("icmp_type") not in types}
    known = {name: value for name, value in fields.items() if name not in absent}
    return ",".join((*_kind(known), *_numbers(known), *_ports(known), *_macs(known), *_addresses(known)))


def address_text(number: int, size: int) -> str:
    """The text of an address of ``size`` bytes: 4 or 16."""
    return format_address(Address(number.to_bytes(size, "big")))


def _kind(fields: Mapping[str, int]) -> Iterator[str]:
    ethernet, protocol = fields.get("eth_type", 0), fields.get("nw_proto", 0)
    if (ethernet, protocol) in _ICMP:
        yield "icmp" if ethernet == _IPV4 else "icmp6"
    elif ethernet in (_IPV4, _IPV6) and protocol in NAMES:
        yield f"{NAMES[protocol].lower()}{'6' if ethernet == _IPV6 else ''}"
    else:
        yield _NAMES.get(ethernet, f"dl_type={ethernet:#x}")
        if ethernet in (_IPV4, _IPV6):
            yield f"nw_proto={protocol}"


def _numbers(fields: Mapping[str, int]) -> Iterator[str]:
    ethernet = fields.get("eth_type", 0)
    names = (*_ALWAYS, *(_OF_IP if ethernet in (_IPV4, _IPV6) else ()), *(("arp_op",) if ethernet == _ARP else ()))
    yield from (f"{name}={fields[name]}" for name in names if fields.get(name))


def _ports(fields: Mapping[str, int]) -> Iterator[str]:
    """Ports, or ICMP type and code, under names with the protocol: Open vSwitch refuses other names for IPv6."""
    ethernet, protocol = fields.get("eth_type", 0), fields.get("nw_proto", 0)
    if ethernet in (_IPV4, _IPV6) and protocol in NAMES:
        name = NAMES[protocol].lower()
        yield f"{name}_src={fields.get('tp_src', 0)}"
        yield f"{name}_dst={fields.get('tp_dst', 0)}"
    elif (ethernet, protocol) in _ICMP:
        name = _ICMP[ethernet, protocol]
        yield f"{name}_type={fields.get('icmp_type', 0)}"
        yield f"{name}_code={fields.get('icmp_code', 0)}"


def _macs(fields: Mapping[str, int]) -> Iterator[str]:
    for name, ethernet in _MACS.items():
        if name in fields and ethernet in (None, fields.get("eth_type")):
            yield f"{name}={format_value(ETH_SRC, fields[name])}"


def _addresses(fields: Mapping[str, int]) -> Iterator[str]:
    for name, ethernet in _ADDRESSES.items():
        if name in fields and ethernet == fields.get("eth_type"):
            yield f"{name}={address_text(fields[name], 16 if ethernet == _IPV6 else 4)}"
    yield from (f"{name}={address_text(fields[name], size)}" for name, size in _TUNNEL_ENDS.items() if fields.get(name))
    for name in _OPTIONS:
        if fields.get(name, 0) >> OPTION_BITS:
            yield f"{name}={fields[name] & ((1 << OPTION_BITS) - 1):#x}"
