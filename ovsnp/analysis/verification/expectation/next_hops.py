"""The next hops of packets from the bridge of one node, by destination address."""

import msgspec

from ovsnp.model.address import Address, Prefix, family, host_prefix, merge, parse_prefix
from ovsnp.model.bridge import BridgePorts
from ovsnp.model.cluster import Node
from ovsnp.model.options import Options
from ovsnp.oracle import PodEnd
from ovsnp.oracle.indexed_oracle import IndexedOracle

UNROUTABLE = tuple(map(parse_prefix, ("224.0.0.0/4", "255.255.255.255/32", "ff00::/8", "fe80::/10")))


class NextHop(msgspec.Struct, frozen=True):
    """The port that a packet leaves by, the MAC address it goes to, and the other end of its tunnel, if any."""

    port: int
    mac: int
    tunnel: Address | None = None


class NextHops:
    """The next hops from the bridge of ``options.node`` in one family, and the pods that the bridge has."""

    def __init__(self, oracle: IndexedOracle, ports: BridgePorts, options: Options, version: int) -> None:
        cluster = oracle.cluster
        self.oracle, self.ports, self.options, self.version = oracle, ports, options, version
        self.node: Node | None = cluster.nodes[options.node] if options.node and cluster.nodes else None
        pods = [pod for pod in cluster.pods if pod.is_on(options.node)]
        self.local = {pod.key: pod for pod in pods if pod.key in ports.pods}
        self.locals = [
            PodEnd(pod, address)
            for pod in self.local.values()
            for address in pod.addresses
            if family(address) == version
        ]
        self.others = [node for node in cluster.nodes.values() if node is not self.node]
        there = {host_prefix(address) for service in cluster.services for address in service.cluster_ips}
        self.service_cidrs: tuple[Prefix, ...] = merge({*options.service_cidrs, *cluster.service_cidrs, *there})
        self._behind = {
            (cidr.family, cidr.length, cidr.value >> (cidr.width - cidr.length)): node
            for node in self.others
            for cidr in node.pod_cidrs
            if cidr.family == version
        }
        self._lengths = sorted({length for _, length, _ in self._behind}, reverse=True)

    @property
    def has_family(self) -> bool:
        """Whether the node has the family: a pod CIDR, or a pod with an address of it."""
        families = {cidr.family for cidr in (self.node.pod_cidrs if self.node else ())}
        families |= {family(address) for pod in self.local.values() for address in pod.addresses}
        return self.version in families

    @property
    def gateway(self) -> NextHop:
        """The next hop to the node and to the outside."""
        return NextHop(self.ports.gateway.ofport, self.ports.gateway.mac)

    def way(self, address: Address, router: int) -> NextHop | None:
        """The next hop to an address; None: packets to it are dropped. ``router`` is the bridge's own MAC."""
        prefix = host_prefix(address)
        if any(block.contains(prefix) for block in (*UNROUTABLE, *self.service_cidrs)):
            return None
        who = self.oracle.who(address)
        if isinstance(who, PodEnd) and who.pod.key in self.local:
            port = self.ports.pods[who.pod.key]
            return NextHop(port.ofport, port.mac)
        if self.node and address in self.node.gateways:
            return self.gateway
        if self.node and any(cidr.contains(prefix) for cidr in self.node.pod_cidrs):
            return None
        other = self.behind(prefix)
        if other is not None:
            return self.through(other, router) if other.tunnel_address else None
        return self.gateway

    def behind(self, prefix: Prefix) -> Node | None:
        """The other node with a pod CIDR that contains a prefix; None if there is none."""
        for length in self._lengths:
            node = self._behind.get((prefix.family, length, prefix.value >> (prefix.width - length)))
            if node is not None and length <= prefix.length:
                return node
        return None

    def through(self, node: Node, router: int) -> NextHop:
        """The next hop by the tunnel to another node."""
        return NextHop(self.ports.tunnel, router, node.tunnel_address)
