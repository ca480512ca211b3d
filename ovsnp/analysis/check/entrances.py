"""The ways on which the first packet of a connection enters one node's bridge."""

from collections.abc import Mapping

import msgspec

from ovsnp.analysis.verification.expectation.next_hops import NextHops
from ovsnp.analysis.verification.expectation.proof_context import DESTINATION, ETH_TYPE, SOURCE, tunnel_field
from ovsnp.analysis.verification.packet_classes.traffic import NUMBERS
from ovsnp.analysis.verification.simulator.places import OPTION_BITS
from ovsnp.model.address import Address, family, host_prefix
from ovsnp.model.cluster import Node
from ovsnp.model.options import Encap
from ovsnp.oracle import Endpoint, NodeEnd, PodEnd, Traffic
from ovsnp.pipeline.carrier import MARKED, offset_bits
from ovsnp.pipeline.fields import TUN_METADATA
from ovsnp.pipeline.ports import ROUTER_MAC

_SYN = 2
_ECHO = {4: {"nw_proto": 1, "icmp_type": 8}, 6: {"nw_proto": 58, "icmp_type": 128}}
_HOPS = 64
_SOURCE_PORT = 40000


class Entrance(msgspec.Struct, frozen=True):
    """A way into a bridge: its name in words, the port, and the other fields of a packet there."""

    name: str
    port: int
    beside: Mapping[str, int]

    @property
    def fields(self) -> dict[str, int]:
        """All fields that the way into the bridge sets."""
        return {"in_port": self.port, "dl_dst": ROUTER_MAC, **self.beside}


class Entrances:
    """The ways into a bridge; ``ways`` are the ways out of the bridge, by family."""

    def __init__(self, ways: Mapping[int, NextHops]) -> None:
        any_family = ways[4]
        self._ways, self._nodes = ways, any_family.oracle.cluster.nodes
        self._ports, self._options = any_family.ports, any_family.options

    def first(self, source: Endpoint) -> Entrance | None:
        """The way into this bridge, if it is the first bridge of the connection; else None."""
        if isinstance(source, PodEnd):
            ways = self._ways[family(source.address)]
            port = self._ports.pods[source.pod.key] if source.pod.key in ways.local else None
            return Entrance(f"by the port of {source.pod.key}", port.ofport, {"dl_src": port.mac}) if port else None
        if self._sender(source) is not None:
            return None
        gateway = self._ports.gateway
        return Entrance("by the gateway", gateway.ofport, {"dl_src": gateway.mac})

    def tunnel(self, source: Endpoint) -> Entrance | None:
        """The way into this bridge over the tunnel from another node; None where no other node sends the packet."""
        sender = self._sender(source)
        if sender is None or sender.tunnel_address is None:
            return None
        fields = {"dl_src": ROUTER_MAC, **tunnel_field(sender)}
        return Entrance(f"by the tunnel of node/{sender.name}", self._ports.tunnel, fields)

    def _sender(self, source: Endpoint) -> Node | None:
        """The other node where a connection begins; None where it does not begin on another node."""
        nodes = self._nodes
        match source:
            case PodEnd(pod=pod):
                node = nodes.get(pod.node or "")
            case NodeEnd(node=own):
                node = own
            case _:
                node = self._ways[family(source.address)].behind(host_prefix(source.address))
        return node if node and node.name != self._options.node else None

    def carried(self, address: Address) -> dict[str, int]:
        """The fields that another node sets in a Service's packet from one of the node's pods."""
        version, value, options = family(address), int.from_bytes(address, "big"), self._options
        sender = self._ways[version].behind(host_prefix(address))
        if sender is None:
            return {}
        cidr = next(each for each in sender.pod_cidrs if each.contains(host_prefix(address)))
        hidden = {SOURCE[version]: int.from_bytes(cidr.gateway, "big")} if options.masquerade else {}
        if options.encap is Encap.VXLAN:
            return {**hidden, "tun_id": value & ((1 << offset_bits(cidr)) - 1)}
        return {**hidden, "tun_id": MARKED, TUN_METADATA[version].name: value | 1 << OPTION_BITS}


def opening(source: Address, destination: Address, traffic: Traffic) -> dict[str, int]:
    """The fields of the packet that opens a connection, without the link layer; without ports, an ICMP echo request."""
    version = family(source)
    fields = {
        "eth_type": ETH_TYPE[version],
        "nw_ttl": _HOPS,
        SOURCE[version]: int.from_bytes(source, "big"),
        DESTINATION[version]: int.from_bytes(destination, "big"),
    }
    if traffic.protocol is None or traffic.port is None:
        return {**fields, **_ECHO[version]}
    flags = {"tcp_flags": _SYN} if NUMBERS[traffic.protocol] == 6 else {}
    return {**fields, "nw_proto": NUMBERS[traffic.protocol], "tp_src": _SOURCE_PORT, "tp_dst": traffic.port, **flags}
