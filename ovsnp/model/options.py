"""What a user may choose about the flows."""

from enum import StrEnum

import msgspec


class Encap(StrEnum):
    """The tunnel between nodes."""

    GENEVE = "geneve"
    VXLAN = "vxlan"


class Options(msgspec.Struct, frozen=True):
    """``node`` is the bridge's node (None where the cluster has no Node objects).

    With ``strict_nodes`` only a pod's own node always reaches it; other nodes are judged as their addresses.
    """

    bridge: str = "br-int"
    node: str | None = None
    encap: Encap = Encap.GENEVE
    strict_nodes: bool = False
