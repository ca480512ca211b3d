"""The packet fields that flows match, set and move (ovs-fields(7)), with the prerequisites of each field."""

from enum import Enum, auto
from functools import cache

import msgspec

from ovsnp.model.ports import Protocol
from ovsnp.pipeline.oxm import Oxm

IPV4_KINDS = frozenset({"ip", "icmp", "tcp", "udp", "sctp"})
IPV6_KINDS = frozenset({"ipv6", "icmp6", "tcp6", "udp6", "sctp6"})
IP_KINDS = IPV4_KINDS | IPV6_KINDS
PORT_KINDS = frozenset({"tcp", "udp", "sctp", "tcp6", "udp6", "sctp6"})
ARP_KINDS = frozenset({"arp"})
ND_KINDS = frozenset({"icmp6"})
KINDS = IP_KINDS | ARP_KINDS
"""The shorthands of ovs-ofctl for an Ethernet type and IP protocol; a match has at most one."""


MOST_OPTION = 124
"""The longest tunnel option, in bytes."""


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

    ``base`` is the name of the whole field in a match, ``target`` the name after ``set_field:...->``. ``oxm`` is the
    header of the field on the wire. ``nxm`` is the name in ``move``, and the header in ``push``, ``pop`` and ``learn``.
    The run is ``bits`` bits of the base, from bit ``lsb`` on; the base is ``base_bits`` bits wide.
    ``kinds`` are the kinds of packets that have the field (empty: all). ``needs`` are the fields that must be matched
    beside it: Open vSwitch silently drops a match on a field without its prerequisites, which widens the flow. ``of``
    is the declared field that a part belongs to.
    """

    name: str
    base: str
    target: str
    oxm: Oxm
    nxm: Oxm
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
        name = self.nxm.name
        return f"{name}[]" if self.whole else f"{name}[{self.lsb}..{self.lsb + self.bits - 1}]"

    @property
    def octets(self) -> int:
        """The length of a value on the wire: of the whole base, but of a tunnel option only what is mapped."""
        return self.declared.bits // 8 if self.oxm.length == MOST_OPTION else self.oxm.length


@cache
def _part(field: Field, lsb: int, bits: int) -> Field:
    return msgspec.structs.replace(field, lsb=field.lsb + lsb, bits=bits, of=field)


def _packet(
    name: str,
    form: Form,
    oxm: Oxm,
    kinds: frozenset[str] = frozenset(),
    *,
    target: str = "",
    nxm: Oxm | None = None,
    bits: int = 0,
    needs: tuple[Field, ...] = (),
) -> Field:
    bits = bits or 8 * oxm.length
    return Field(name, name, target or name, oxm, nxm or oxm, bits, form, kinds, 0, bits, needs=needs)


def _option(number: int, octets: int) -> Field:
    name = f"tun_metadata{number}"
    oxm = Oxm(f"NXM_NX_TUN_METADATA{number}", 40 + number, MOST_OPTION)
    return Field(name, name, name, oxm, oxm, 8 * MOST_OPTION, Form.HEX, bits=8 * octets)


IN_PORT = _packet("in_port", Form.DECIMAL, Oxm("OXM_OF_IN_PORT", 0, 4))
ETH_SRC = _packet("dl_src", Form.MAC, Oxm("OXM_OF_ETH_SRC", 4, 6), target="eth_src", nxm=Oxm("NXM_OF_ETH_SRC", 2, 6))
ETH_DST = _packet("dl_dst", Form.MAC, Oxm("OXM_OF_ETH_DST", 3, 6), target="eth_dst", nxm=Oxm("NXM_OF_ETH_DST", 1, 6))
DL_TYPE = _packet(
    "dl_type", Form.HEX, Oxm("OXM_OF_ETH_TYPE", 5, 2), target="eth_type", nxm=Oxm("NXM_OF_ETH_TYPE", 3, 2)
)
NW_PROTO = _packet("nw_proto", Form.DECIMAL, Oxm("OXM_OF_IP_PROTO", 10, 1), nxm=Oxm("NXM_OF_IP_PROTO", 6, 1))
"""The kind of a match stands for values of ``DL_TYPE`` and ``NW_PROTO``."""
VLAN_TCI = _packet("vlan_tci", Form.HEX, Oxm("OXM_OF_VLAN_VID", 6, 2))
IPV4_SRC = _packet(
    "nw_src", Form.IPV4, Oxm("OXM_OF_IPV4_SRC", 11, 4), IPV4_KINDS, target="ip_src", nxm=Oxm("NXM_OF_IP_SRC", 7, 4)
)
IPV4_DST = _packet(
    "nw_dst", Form.IPV4, Oxm("OXM_OF_IPV4_DST", 12, 4), IPV4_KINDS, target="ip_dst", nxm=Oxm("NXM_OF_IP_DST", 8, 4)
)
IPV6_SRC = _packet(
    "ipv6_src", Form.IPV6, Oxm("OXM_OF_IPV6_SRC", 26, 16), IPV6_KINDS, nxm=Oxm("NXM_NX_IPV6_SRC", 19, 16)
)
IPV6_DST = _packet(
    "ipv6_dst", Form.IPV6, Oxm("OXM_OF_IPV6_DST", 27, 16), IPV6_KINDS, nxm=Oxm("NXM_NX_IPV6_DST", 20, 16)
)
TRANSPORT_SRC = {
    Protocol.TCP: _packet("tcp_src", Form.DECIMAL, Oxm("OXM_OF_TCP_SRC", 13, 2), PORT_KINDS),
    Protocol.UDP: _packet("udp_src", Form.DECIMAL, Oxm("OXM_OF_UDP_SRC", 15, 2), PORT_KINDS),
    Protocol.SCTP: _packet("sctp_src", Form.DECIMAL, Oxm("OXM_OF_SCTP_SRC", 17, 2), PORT_KINDS),
}
TRANSPORT_DST = {
    Protocol.TCP: _packet(
        "tcp_dst", Form.DECIMAL, Oxm("OXM_OF_TCP_DST", 14, 2), PORT_KINDS, nxm=Oxm("NXM_OF_TCP_DST", 10, 2)
    ),
    Protocol.UDP: _packet(
        "udp_dst", Form.DECIMAL, Oxm("OXM_OF_UDP_DST", 16, 2), PORT_KINDS, nxm=Oxm("NXM_OF_UDP_DST", 12, 2)
    ),
    Protocol.SCTP: _packet("sctp_dst", Form.DECIMAL, Oxm("OXM_OF_SCTP_DST", 18, 2), PORT_KINDS),
}
PORT_DST = _packet("tp_dst", Form.DECIMAL, TRANSPORT_DST[Protocol.TCP].oxm, PORT_KINDS)
"""The destination port in a match whose kind names the protocol; on the wire, one of `TRANSPORT_DST`."""
ARP_OP = _packet("arp_op", Form.DECIMAL, Oxm("OXM_OF_ARP_OP", 21, 2), ARP_KINDS)
ARP_SPA = _packet("arp_spa", Form.IPV4, Oxm("OXM_OF_ARP_SPA", 22, 4), ARP_KINDS, nxm=Oxm("NXM_OF_ARP_SPA", 16, 4))
ARP_TPA = _packet("arp_tpa", Form.IPV4, Oxm("OXM_OF_ARP_TPA", 23, 4), ARP_KINDS, nxm=Oxm("NXM_OF_ARP_TPA", 17, 4))
ARP_SHA = _packet("arp_sha", Form.MAC, Oxm("OXM_OF_ARP_SHA", 24, 6), ARP_KINDS, nxm=Oxm("NXM_NX_ARP_SHA", 17, 6))
ARP_THA = _packet("arp_tha", Form.MAC, Oxm("OXM_OF_ARP_THA", 25, 6), ARP_KINDS, nxm=Oxm("NXM_NX_ARP_THA", 18, 6))
ICMPV6_TYPE = _packet("icmp_type", Form.DECIMAL, Oxm("OXM_OF_ICMPV6_TYPE", 29, 1), ND_KINDS, target="icmpv6_type")
ND_TARGET = _packet(
    "nd_target", Form.IPV6, Oxm("OXM_OF_IPV6_ND_TARGET", 31, 16), ND_KINDS, nxm=Oxm("NXM_NX_ND_TARGET", 23, 16)
)
ND_SLL = _packet("nd_sll", Form.MAC, Oxm("OXM_OF_IPV6_ND_SLL", 32, 6), ND_KINDS)
ND_TLL = _packet("nd_tll", Form.MAC, Oxm("OXM_OF_IPV6_ND_TLL", 33, 6), ND_KINDS)
ND_OPTIONS_TYPE = _packet("nd_options_type", Form.DECIMAL, Oxm("ERICOXM_OF_ICMPV6_ND_OPTIONS_TYPE", 2, 1), ND_KINDS)
ND_RESERVED = _packet("nd_reserved", Form.DECIMAL, Oxm("ERICOXM_OF_ICMPV6_ND_RESERVED", 1, 4), ND_KINDS)
TUN_SRC = _packet("tun_src", Form.IPV4, Oxm("NXM_NX_TUN_IPV4_SRC", 31, 4))
TUN_DST = _packet("tun_dst", Form.IPV4, Oxm("NXM_NX_TUN_IPV4_DST", 32, 4))
TUN_IPV6_SRC = _packet("tun_ipv6_src", Form.IPV6, Oxm("NXM_NX_TUN_IPV6_SRC", 109, 16))
TUN_IPV6_DST = _packet("tun_ipv6_dst", Form.IPV6, Oxm("NXM_NX_TUN_IPV6_DST", 110, 16))
TUN_ID = _packet("tun_id", Form.HEX, Oxm("OXM_OF_TUNNEL_ID", 38, 8), nxm=Oxm("NXM_NX_TUN_ID", 16, 8))
TUN_METADATA = {4: _option(0, 4), 6: _option(1, 16)}
"""Tunnel options; the fields have variable length, and are mapped with 4 and 16 bytes."""
CT_STATE = _packet("ct_state", Form.CT_STATE, Oxm("NXM_NX_CT_STATE", 105, 4), bits=6)
CT_MARK = _packet("ct_mark", Form.HEX, Oxm("NXM_NX_CT_MARK", 107, 4))
CT_NW_PROTO = _packet("ct_nw_proto", Form.DECIMAL, Oxm("NXM_NX_CT_NW_PROTO", 119, 1), needs=(CT_STATE,))
CT_TP_DST = _packet("ct_tp_dst", Form.DECIMAL, Oxm("NXM_NX_CT_TP_DST", 125, 2), needs=(CT_STATE, CT_NW_PROTO))
CT_DST = {
    4: _packet("ct_nw_dst", Form.IPV4, Oxm("NXM_NX_CT_NW_DST", 121, 4), IPV4_KINDS, needs=(CT_STATE,)),
    6: _packet("ct_ipv6_dst", Form.IPV6, Oxm("NXM_NX_CT_IPV6_DST", 123, 16), IPV6_KINDS, needs=(CT_STATE,)),
}
"""The destination of a connection's first packet before translation; the match must have ct_state -inv+trk."""
CONJ_ID = _packet("conj_id", Form.DECIMAL, Oxm("NXM_NX_CONJ_ID", 37, 4))

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
HEADERS: dict[str, tuple[int, int | None]] = {
    "arp": (0x0806, None),
    "icmp": (ETH_TYPE[4], 1),
    "icmp6": (ETH_TYPE[6], 58),
    **{kind: (ETH_TYPE[version], None) for version, kind in IP_KIND.items()},
    **{kind: (ETH_TYPE[version], IP_PROTO[protocol]) for (version, protocol), kind in PROTOCOL_KIND.items()},
}
"""The Ethernet type and the IP protocol of each kind of packet; None: any protocol."""
