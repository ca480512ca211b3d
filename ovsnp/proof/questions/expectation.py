"""What the oracle expects of one node's bridge."""

import msgspec

from ovsnp.model.address import Address, Prefix, family, host_prefix, merge, parse_prefix
from ovsnp.model.bridge import Ports
from ovsnp.model.cluster import Node
from ovsnp.model.options import Options
from ovsnp.model.policy import Direction
from ovsnp.model.ports import Protocol
from ovsnp.pipeline.ports import TUNNEL_UDP_PORTS
from ovsnp.proof.questions.addresses import Far
from ovsnp.proof.questions.traffic import Cells
from ovsnp.verify import Endpoint, NodeEnd, PodEnd
from ovsnp.verify.judge import exemption
from ovsnp.verify.prepared import Prepared

UNROUTABLE = tuple(map(parse_prefix, ("224.0.0.0/4", "255.255.255.255/32", "ff00::/8", "fe80::/10")))


class Way(msgspec.Struct, frozen=True):
    """By which port a packet leaves, to which MAC address and, by the tunnel, to which node."""

    port: int
    mac: int
    tunnel: Address | None = None


class Expectation:
    """Answers for the bridge of ``options.node`` and one family."""

    def __init__(self, prepared: Prepared, ports: Ports, options: Options, version: int, cells: Cells) -> None:
        cluster = prepared.cluster
        self.prepared, self.ports, self.options, self.version, self.cells = prepared, ports, options, version, cells
        self.node: Node | None = cluster.nodes[options.node] if options.node else None
        pods = [pod for pod in cluster.pods if (not cluster.nodes or pod.node == options.node)]
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
        self._sides: dict[object, int] = {}
        self._tunneled = sum({cells.of(Protocol.UDP, port) for port in TUNNEL_UDP_PORTS.values()})

    @property
    def gateway(self) -> Way:
        """To the node and the world."""
        return Way(self.ports.gateway.ofport, self.ports.gateway.mac)

    def way(self, address: Address, router: int) -> Way | None:
        """Where a packet to an address goes from here; None: nowhere. ``router`` is the bridge's own MAC."""
        prefix = host_prefix(address)
        if any(block.contains(prefix) for block in (*UNROUTABLE, *self.service_cidrs)):
            return None
        who = self.prepared.who(address)
        if isinstance(who, PodEnd) and who.pod.key in self.local:
            port = self.ports.pods[who.pod.key]
            return Way(port.ofport, port.mac)
        if self.node and address in self.node.gateways:
            return self.gateway
        if self.node and any(cidr.contains(prefix) for cidr in self.node.pod_cidrs):
            return None
        other = self.behind(prefix)
        if other is not None:
            return self.through(other, router) if other.tunnel_address else None
        return self.gateway

    def behind(self, prefix: Prefix) -> Node | None:
        """The other node in whose pod CIDRs a prefix lies."""
        for length in self._lengths:
            node = self._behind.get((prefix.family, length, prefix.value >> (prefix.width - length)))
            if node is not None and length <= prefix.length:
                return node
        return None

    def through(self, node: Node, router: int) -> Way:
        """The tunnel to another node."""
        return Way(self.ports.tunnel, router, node.tunnel_address)

    def allowed(self, source: Far, destination: Far, via: bool) -> int:
        """The traffic that may be opened, as far as this node's pods decide: who sends, or who receives, is local.

        Through a Service (``via``) a pod that reaches itself is judged like anyone.
        """
        found = self.egress(source, destination, via=via) & self.ingress(source, destination, via=via)
        return found & ~self.tunneled(source, destination)

    def egress(self, source: Far, destination: Far, *, via: bool) -> int:
        """The traffic that a local source's policies allow."""
        if not self._is_local(source.end):
            return self.cells.all
        return self._side(Direction.EGRESS, source.end, destination, (source.end, destination.end), via=via)

    def ingress(self, source: Far, destination: Far, *, via: bool) -> int:
        """The traffic that a local destination's policies allow."""
        if not self._is_local(destination.end):
            return self.cells.all
        return self._side(Direction.INGRESS, destination.end, source, (source.end, destination.end), via=via)

    def _is_local(self, end: Endpoint) -> bool:
        return isinstance(end, PodEnd) and end.pod.key in self.local

    def _side(
        self, direction: Direction, near: Endpoint, far: Far, ends: tuple[Endpoint, Endpoint], *, via: bool
    ) -> int:
        assert isinstance(near, PodEnd)
        exempt = exemption(*ends, strict_nodes=self.options.strict_nodes)
        itself = isinstance(far.end, PodEnd) and near.pod.key == far.end.pod.key
        if exempt is not None and not (via and itself):
            return self.cells.all
        if not self.prepared.isolating(direction, near.pod):
            return self.cells.all
        # Of a pod that receives, the names of its own ports count; of one that is sent to, its class tells them.
        names = near.pod.ports if direction is Direction.INGRESS else ()
        key = direction, self.prepared.workloads.of_pod[near.pod.key], names, far.number
        if key not in self._sides:
            rules = self.prepared.rules(direction, near.pod, far.end)
            found = 0
            for _, rule in rules:
                found |= self.cells.of_entries(rule.ports, ends[1])
            self._sides[key] = found
        return self._sides[key]

    def tunneled(self, source: Far, destination: Far) -> int:
        """What a pod may never send: tunnel packets of its own to a node."""
        return self._tunneled if self._is_local(source.end) and isinstance(destination.end, NodeEnd) else 0
