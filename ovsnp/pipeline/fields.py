"""The packet fields that flows match, set and move (ovs-fields(7)), with the prerequisites of each field."""

from enum import Enum, auto
from functools import cache

import msgspec

from ovsnp.model.ports import Protocol

IPV4_KINDS = frozenset({"ip", "icmp", "tcp", "udp", "sctp"})
IPV6_KINDS = frozenset({"ipv6", "icmp6", "tcp6", "udp6", "sctp6"})
IP_KINDS = IPV4_KINDS | IPV6_KINDS
PORT_KINDS = frozenset({"tcp", "udp", "sctp", "tcp6", "udp6", "sctp6"})
ARP_KINDS = frozenset({"arp"})
ND_KINDS = frozenset({"icmp6"})
KINDS = IP_KINDS | ARP_KINDS
"""The shorthands of ovs-ofctl for an Ethernet type and IP protocol; a match has at most one."""


class Form(Enum):
    """The notation of a field's values in ovs-ofctl."""

    DECIMAL = auto()
    HEX = auto()
    MAC = auto()
    IPV4 = auto()
    IPV6 = auto()
    CT_STATE = auto()


class Field(msgspec.Struct, frozen=True, eq=False):
    """A field, or a run of bits of a field; each is declared once, so equality is identity.

    ``base`` is the name of the whole field in a match, ``target`` the name after ``set_field:...->``, ``nxm`` the name
    in ``move``. The run is ``bits`` bits of the base, from bit ``lsb`` on; the base is ``base_bits`` bits wide.
    ``kinds`` are the kinds of packets that have the field (empty: all). ``needs`` are the fields that must be matched
    beside it: Open vSwitch silently drops a match on a field without its prerequisites, which widens the flow. ``of``
    is the declared field that a part belongs to.
    """

    name: str
    base: str
    target: str
    nxm: str
    base_bits: int
    form: Form = Form.DECIMAL
    kinds: frozenset[str] = frozenset()
    lsb: int = 0
    bits: int = 0
    of: "Field | None" = None
    needs: tuple["Field", ...] = ()

    @property
    def declared(self) -> "Field":
        """The field that tables declare: this field, or the field that it is a part of."""
        return self.of or self

    def part(self, lsb: int, bits: int) -> "Field":
        """A run of this field's bits; the same run is the same field."""
        return _part(self, lsb, bits)

    @property
    def whole(self) -> bool:
        """True if this is the whole base, not a part."""
        return self.bits == self.base_bits

    @property
    def full_mask(self) -> int:
        """The mask of an exact match on this field."""
        return (1 << self.bits) - 1

    @property
    def nxm_range(self) -> str:
        """The name and the bits, in the notation of ``move``."""
        return f"{self.nxm}[]" if self.whole else f"{self.nxm}[{self.lsb}..{self.lsb + self.bits - 1}]"


@cache
def _part(field: Field, lsb: int, bits: int) -> Field:
    return msgspec.structs.replace(field, lsb=field.lsb + lsb, bits=bits, of=field)


def _packet(
    name: str, bits: int, form: Form, kinds: frozenset[str] = frozenset(), *, target: str = "", nxm: str = ""
) -> Field:
    return Field(name, name, target or name, nxm, bits, form, kinds, 0, bits)


IN_PORT = _packet("in_port", 32, Form.DECIMAL)
ETH_SRC = _packet("dl_src", 48, Form.MAC, target="eth_src", nxm="NXM_OF_ETH_SRC")
ETH_DST = _packet("dl_dst", 48, Form.MAC, target="eth_dst", nxm="NXM_OF_ETH_DST")
VLAN_TCI = _packet("vlan_tci", 16, Form.HEX)
IPV4_SRC = _packet("nw_src", 32, Form.IPV4, IPV4_KINDS, target="ip_src", nxm="NXM_OF_IP_SRC")
IPV4_DST = _packet("nw_dst", 32, Form.IPV4, IPV4_KINDS, target="ip_dst", nxm="NXM_OF_IP_DST")
IPV6_SRC = _packet("ipv6_src", 128, Form.IPV6, IPV6_KINDS, nxm="NXM_NX_IPV6_SRC")
IPV6_DST = _packet("ipv6_dst", 128, Form.IPV6, IPV6_KINDS, nxm="NXM_NX_IPV6_DST")
PORT_DST = _packet("tp_dst", 16, Form.DECIMAL, PORT_KINDS)
ARP_OP = _packet("arp_op", 16, Form.DECIMAL, ARP_KINDS)
ARP_SPA = _packet("arp_spa", 32, Form.IPV4, ARP_KINDS, nxm="NXM_OF_ARP_SPA")
ARP_TPA = _packet("arp_tpa", 32, Form.IPV4, ARP_KINDS, nxm="NXM_OF_ARP_TPA")
ARP_SHA = _packet("arp_sha", 48, Form.MAC, ARP_KINDS, nxm="NXM_NX_ARP_SHA")
ARP_THA = _packet("arp_tha", 48, Form.MAC, ARP_KINDS, nxm="NXM_NX_ARP_THA")
ICMPV6_TYPE = _packet("icmp_type", 8, Form.DECIMAL, ND_KINDS, target="icmpv6_type")
ND_TARGET = _packet("nd_target", 128, Form.IPV6, ND_KINDS, nxm="NXM_NX_ND_TARGET")
ND_SLL = _packet("nd_sll", 48, Form.MAC, ND_KINDS)
ND_TLL = _packet("nd_tll", 48, Form.MAC, ND_KINDS)
ND_OPTIONS_TYPE = _packet("nd_options_type", 8, Form.DECIMAL, ND_KINDS, nxm="ERICOXM_OF_ICMPV6_ND_OPTIONS_TYPE")
ND_RESERVED = _packet("nd_reserved", 32, Form.DECIMAL, ND_KINDS, nxm="ERICOXM_OF_ICMPV6_ND_RESERVED")
TUN_SRC = _packet("tun_src", 32, Form.IPV4)
TUN_DST = _packet("tun_dst", 32, Form.IPV4)
TUN_IPV6_SRC = _packet("tun_ipv6_src", 128, Form.IPV6)
TUN_IPV6_DST = _packet("tun_ipv6_dst", 128, Form.IPV6)
TUN_ID = _packet("tun_id", 64, Form.HEX, nxm="NXM_NX_TUN_ID")
TUN_METADATA = {
    4: Field("tun_metadata0", "tun_metadata0", "tun_metadata0", "NXM_NX_TUN_METADATA0", 992, Form.HEX, bits=32),
    6: Field("tun_metadata1", "tun_metadata1", "tun_metadata1", "NXM_NX_TUN_METADATA1", 992, Form.HEX, bits=128),
}
"""Tunnel options; the fields have variable length, and are mapped with 4 and 16 bytes."""
CT_STATE = _packet("ct_state", 6, Form.CT_STATE)
CT_MARK = _packet("ct_mark", 32, Form.HEX, nxm="NXM_NX_CT_MARK")
CT_NW_PROTO = Field("ct_nw_proto", "ct_nw_proto", "ct_nw_proto", "", 8, bits=8, needs=(CT_STATE,))
CT_TP_DST = Field("ct_tp_dst", "ct_tp_dst", "ct_tp_dst", "", 16, bits=16, needs=(CT_STATE, CT_NW_PROTO))
CT_DST = {
    4: Field("ct_nw_dst", "ct_nw_dst", "ct_nw_dst", "", 32, Form.IPV4, IPV4_KINDS, bits=32, needs=(CT_STATE,)),
    6: Field("ct_ipv6_dst", "ct_ipv6_dst", "ct_ipv6_dst", "", 128, Form.IPV6, IPV6_KINDS, bits=128, needs=(CT_STATE,)),
}
"""The destination of a connection's first packet before translation; the match must have ct_state -inv+trk."""
CONJ_ID = _packet("conj_id", 32, Form.DECIMAL)

CT_FLAGS = ("new", "est", "rel", "rpl", "inv", "trk")
"""The bits of ct_state, lowest first."""

IP_SRC = {4: IPV4_SRC, 6: IPV6_SRC}
IP_DST = {4: IPV4_DST, 6: IPV6_DST}
TUNNEL_SRC = {4: TUN_SRC, 6: TUN_IPV6_SRC}
TUNNEL_DST = {4: TUN_DST, 6: TUN_IPV6_DST}
IP_KIND = {4: "ip", 6: "ipv6"}
ETH_TYPE = {4: 0x0800, 6: 0x86DD}
IP_PROTO = {Protocol.TCP: 6, Protocol.UDP: 17, Protocol.SCTP: 132}
PROTOCOL_KIND = {
    (4, Protocol.TCP): "tcp",
    (4, Protocol.UDP): "udp",
    (4, Protocol.SCTP): "sctp",
    (6, Protocol.TCP): "tcp6",
    (6, Protocol.UDP): "udp6",
    (6, Protocol.SCTP): "sctp6",
}
