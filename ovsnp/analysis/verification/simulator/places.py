"""Maps the names of fields (ovs-fields(7)) to runs of bits of bases.

A base is a field that overlaps no other: ``tcp_dst`` and ``udp_dst`` are both ``tp_dst``. Registers are bits of the
128-bit registers that overlap them. The names are those that ``ovs-ofctl`` prints for flows of ovsnp.
"""

import re
from typing import NamedTuple

from ovsnp.model.address import parse_address
from ovsnp.pipeline.fields import TUN_METADATA


class FieldBits(NamedTuple):
    """``bits`` bits of a base, from bit ``lsb`` on."""

    base: str
    lsb: int
    bits: int

    @property
    def mask(self) -> int:
        """The mask of these bits in the base."""
        return ((1 << self.bits) - 1) << self.lsb


OPTION_BITS = 992
"""The width of a tunnel option's value; the bit above the value says that the option is present."""

_WIDTHS = {
    "in_port": 32, "eth_type": 16, "nw_proto": 8, "tp_dst": 16, "icmp_type": 8,
    "vlan_tci": 16, "dl_src": 48, "dl_dst": 48, "nw_src": 32, "nw_dst": 32,
    "ipv6_src": 128, "ipv6_dst": 128, "nw_tos": 8, "nw_ecn": 2, "nw_ttl": 8, "nw_frag": 2, "tp_src": 16,
    "tcp_flags": 12, "icmp_code": 8, "arp_op": 16, "arp_spa": 32, "arp_tpa": 32, "arp_sha": 48, "arp_tha": 48,
    "nd_target": 128, "nd_sll": 48, "nd_tll": 48, "nd_options_type": 8, "nd_reserved": 32, "tun_src": 32,
    "tun_dst": 32, "tun_ipv6_src": 128, "tun_ipv6_dst": 128, "tun_id": 64, "tun_metadata0": OPTION_BITS,
    "tun_metadata1": OPTION_BITS, "ct_state": 8, "ct_zone": 16, "ct_mark": 32, "ct_label": 128, "ct_nw_src": 32,
    "ct_nw_dst": 32, "ct_ipv6_src": 128, "ct_ipv6_dst": 128, "ct_nw_proto": 8, "ct_tp_src": 16, "ct_tp_dst": 16,
    "conj_id": 32, "metadata": 64, "pkt_mark": 32,
}  # fmt: skip
_ALIASES = {
    "eth_src": "dl_src", "eth_dst": "dl_dst", "dl_type": "eth_type", "ip_src": "nw_src", "ip_dst": "nw_dst",
    "tunnel_id": "tun_id", "ip_frag": "nw_frag", "tcp_src": "tp_src", "udp_src": "tp_src", "sctp_src": "tp_src",
    "ip_proto": "nw_proto", "tcp_dst": "tp_dst", "udp_dst": "tp_dst", "sctp_dst": "tp_dst", "icmpv6_type": "icmp_type",
    "icmpv4_type": "icmp_type", "icmpv6_code": "icmp_code", "icmpv4_code": "icmp_code",
    "NXM_OF_IN_PORT": "in_port", "NXM_OF_ETH_SRC": "dl_src", "NXM_OF_ETH_DST": "dl_dst", "NXM_OF_IP_SRC": "nw_src",
    "NXM_OF_IP_DST": "nw_dst", "NXM_NX_IPV6_SRC": "ipv6_src", "NXM_NX_IPV6_DST": "ipv6_dst",
    "NXM_OF_ARP_OP": "arp_op", "NXM_OF_ARP_SPA": "arp_spa", "NXM_OF_ARP_TPA": "arp_tpa", "NXM_NX_ARP_SHA": "arp_sha",
    "NXM_NX_ARP_THA": "arp_tha", "NXM_NX_ND_TARGET": "nd_target", "NXM_NX_ND_SLL": "nd_sll", "NXM_NX_ND_TLL": "nd_tll",
    "NXM_NX_TUN_ID": "tun_id", "NXM_NX_TUN_IPV4_SRC": "tun_src", "NXM_NX_TUN_IPV4_DST": "tun_dst",
    "NXM_NX_TUN_METADATA0": "tun_metadata0", "NXM_NX_TUN_METADATA1": "tun_metadata1", "NXM_NX_CT_MARK": "ct_mark",
    "NXM_NX_CT_LABEL": "ct_label", "NXM_NX_CT_STATE": "ct_state", "NXM_NX_CONJ_ID": "conj_id",
    "ERICOXM_OF_ICMPV6_ND_OPTIONS_TYPE": "nd_options_type", "ERICOXM_OF_ICMPV6_ND_RESERVED": "nd_reserved",
    "NXM_NX_CT_NW_DST": "ct_nw_dst", "NXM_NX_CT_TP_DST": "ct_tp_dst", "NXM_NX_CT_IPV6_DST": "ct_ipv6_dst",
}  # fmt: skip

_MAPPED = {field.base: field.bits for field in TUN_METADATA.values()}
CT_FLAGS = ("new", "est", "rel", "rpl", "inv", "trk", "snat", "dnat")


def place(name: str) -> FieldBits | None:
    """The bits that a field's name stands for; None where the name is not known here."""
    lowered = name.lower().removeprefix("nxm_nx_")
    for family, bits in (("xxreg", 128), ("xreg", 64), ("reg", 32)):
        number = lowered.removeprefix(family)
        if lowered.startswith(family) and number.isdigit() and int(number) < 512 // bits:
            each = 128 // bits
            return FieldBits(f"xxreg{int(number) // each}", (each - 1 - int(number) % each) * bits, bits)
    base = _ALIASES.get(name, name)
    return FieldBits(base, 0, _WIDTHS[base]) if base in _WIDTHS else None


def is_option(base: str) -> bool:
    """Whether a base is a tunnel option, which may be absent."""
    return base.startswith("tun_metadata")


def is_whole_option(where: FieldBits) -> bool:
    """Whether a run of bits is a whole tunnel option, of the length that ovsnp gives it."""
    return where.lsb == 0 and _MAPPED.get(where.base) == where.bits


def place_mask(base: str) -> int:
    """The mask of all bits of a base."""
    return (1 << (128 if base.startswith("xxreg") else _WIDTHS[base])) - 1


def read_value(text: str, bits: int) -> tuple[int, int]:
    """The value and mask of a number, MAC or address, with or without ``/MASK``; raises ValueError for other text."""
    value, slash, mask = text.partition("/")
    full = (1 << bits) - 1
    if not slash:
        read = _number(value), full
    elif mask.isdigit() and ("." in value or ":" in value) and bits in (32, 128):
        if int(mask) > bits:
            raise ValueError(f"{text}: a prefix has at most {bits} bits")
        read = _number(value), full ^ (full >> int(mask))
    else:
        read = _number(value), _number(mask)
    if max(read) > full and value not in _RESERVED_PORTS:
        raise ValueError(f"{text} does not fit into {bits} bits")
    return read


def _number(text: str) -> int:
    if text in _RESERVED_PORTS:
        return _RESERVED_PORTS[text]
    if re.fullmatch(r"[0-9a-fA-F]{1,2}(:[0-9a-fA-F]{1,2}){5}", text):
        return int("".join(part.zfill(2) for part in text.split(":")), 16)
    if "." in text or ":" in text:
        return int.from_bytes(parse_address(text), "big")
    return int(text, 0)


_RESERVED_PORTS = {"LOCAL": 0xFFFFFFFE, "ANY": 0xFFFFFFFF, "CONTROLLER": 0xFFFFFFFD}
