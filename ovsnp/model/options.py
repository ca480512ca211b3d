"""What a user may choose about the flows."""

from enum import StrEnum

import msgspec

from ovsnp.model.address import Prefix


class Encap(StrEnum):
    """The tunnel between nodes."""

    GENEVE = "geneve"
    VXLAN = "vxlan"


class Carrier(msgspec.Struct, frozen=True):
    """The Geneve options with the source pod's address: their class (16 bits), and a type (7 bits) for each family.

    The class is of those that RFC 8926 sets aside for experiments. Types have no critical bit: whoever does not
    know the option may go on without.
    """

    option_class: int = 0xFFFF
    ipv4_type: int = 0x01
    ipv6_type: int = 0x02


class Options(msgspec.Struct, frozen=True):
    """``node`` is the bridge's node (None where the cluster has no Node objects).

    With ``strict_nodes`` only a pod's own node always reaches it; other nodes are judged as their addresses.
    With ``masquerade`` Service-bound traffic leaves for other nodes with the gateway's address as its source.
    With ``service_blocks`` an ipBlock of an egress rule may also hold the cluster IP, at the Service's port.
    ``service_cidrs`` are beside those of ServiceCIDR objects.
    """

    bridge: str = "br-int"
    node: str | None = None
    encap: Encap = Encap.GENEVE
    strict_nodes: bool = False
    masquerade: bool = False
    service_cidrs: tuple[Prefix, ...] = ()
    carrier: Carrier = Carrier()
    service_blocks: bool = False
