"""The options of a compilation."""

from enum import StrEnum

import msgspec

from ovsnp.model.address import Prefix


class Encap(StrEnum):
    """The encapsulation of the tunnel between nodes."""

    GENEVE = "geneve"
    VXLAN = "vxlan"


class Established(StrEnum):
    """What happens to open connections that the policies forbid: they go on until they end, or are cut."""

    KEEP = "keep"
    CUT = "cut"


class Carrier(msgspec.Struct, frozen=True):
    """The Geneve options with the source pod's address: their class (16 bits), and a type (7 bits) for each family.

    The default class is one of the classes that RFC 8926 reserves for experiments. The types have no critical bit: a
    receiver that does not know the option may ignore it.
    """

    option_class: int = 0xFFFF
    ipv4_type: int = 0x01
    ipv6_type: int = 0x02


class Options(msgspec.Struct, frozen=True):
    """Options that the flows depend on; ``node`` is the bridge's node (None where the cluster has no Node objects).

    With ``strict_nodes`` only the pod's own node always reaches a pod; policy judges other nodes by their addresses.
    With ``masquerade`` Service-bound traffic to other nodes has the gateway's address as its source. With
    ``service_blocks`` an egress rule also allows a connection if its ipBlock holds the cluster IP and its ports the
    Service's port. ``service_cidrs`` are added to the CIDRs of the ServiceCIDR objects. With ``log_drops`` the bridge
    reports the packets that policies and guards drop.
    """

    bridge: str = "br-int"
    node: str | None = None
    encap: Encap = Encap.GENEVE
    strict_nodes: bool = False
    masquerade: bool = False
    service_cidrs: tuple[Prefix, ...] = ()
    carrier: Carrier = Carrier()
    service_blocks: bool = False
    log_drops: bool = False
