"""The parts of the cluster that one node's bridge needs: ports, local pods, and other nodes."""

from collections.abc import Collection, Iterable

from ovsnp.errors import UsageError
from ovsnp.model.address import Address, Prefix, family, host_prefix, merge
from ovsnp.model.bridge import Bridge, BridgePort, BridgePorts, LocalPod, RemoteNode
from ovsnp.model.changes import keep
from ovsnp.model.cluster import Cluster, Node, Pod
from ovsnp.model.mac import derived_mac
from ovsnp.model.options import Options
from ovsnp.pipeline.numbers import Numbers
from ovsnp.pipeline.ports import FIRST_OFFLINE_OFPORT, GATEWAY_MAC, GATEWAY_OFPORT, TUNNEL_OFPORT


def local_pods(cluster: Cluster, node: str | None) -> tuple[Pod, ...]:
    """The pods that run on a node, and the pods that name no node; all pods if ``node`` is None."""
    return tuple(pod for pod in cluster.pods if pod.is_on(node))


def assume_ports(pods: Collection[Pod]) -> BridgePorts:
    """Ports without reading a bridge: numbers in the order of ``NAMESPACE/NAME``, MAC addresses from IPv4 addresses.

    Raises UsageError where a pod has no IPv4 address.
    """
    macs = {pod.key: derived_mac(pod.addresses) for pod in pods}
    if without := sorted(key for key, mac in macs.items() if mac is None):
        raise UsageError(f"the MAC address of {', '.join(without)} is unknown; give --ports FILE")
    numbered = enumerate(sorted(macs.items()), start=FIRST_OFFLINE_OFPORT)
    ports = {key: BridgePort(ofport, mac) for ofport, (key, mac) in numbered if mac is not None}
    return BridgePorts(TUNNEL_OFPORT, BridgePort(GATEWAY_OFPORT, GATEWAY_MAC), ports, assumed=True)


class BridgeParts:
    """The pods of ``options.node`` with a port, the other nodes, and the other input of the bridge's flows."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._ports = assume_ports(())
        self._nodes: dict[str, Node] = {}
        self._numbers = Numbers()
        self._numbered: set[str] = set()
        self._others: dict[str, RemoteNode] = {}
        self._here: dict[str, Pod] = {}
        self._local: dict[str, LocalPod] = {}
        self._pod_cidrs: tuple[Prefix, ...] | None = ()
        self._bridge = Bridge(None, self._ports.tunnel, self._ports.gateway, (), (), (), (), alone=True)
        self._stale = True

    @property
    def ports(self) -> BridgePorts:
        """The ports of the bridge."""
        return self._ports

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes of the cluster."""
        return tuple(self._nodes.values())

    @property
    def pod_cidrs(self) -> tuple[Prefix, ...]:
        """The pod CIDRs of all nodes, merged."""
        if self._pod_cidrs is None:
            self._pod_cidrs = merge(cidr for node in self._nodes.values() for cidr in node.pod_cidrs)
        return self._pod_cidrs

    @property
    def judged(self) -> tuple[Address, ...]:
        """The addresses of other nodes that policy judges like any other address."""
        return tuple(address for other in self._others.values() if other.judged for address in other.addresses)

    def update_nodes(self, went: Collection[Node], came: Collection[Node]) -> set[str]:
        """Remove nodes, then add nodes; returns the names of all these nodes."""
        names = {node.name for node in (*went, *came)}
        if names:
            self._stale, self._pod_cidrs = True, None
            for node in went:
                self._nodes.pop(node.name, None)
            self._nodes.update((node.name, node) for node in came)
        return names

    def resolve_nodes(self, names: set[str]) -> dict[str, RemoteNode | None]:
        """The other nodes that have changed (None: removed); ``names`` are the nodes that were removed or added.

        Raises UsageError where a node has no InternalIP for its tunnel.
        """
        if not names:
            return {}
        there = names & self._nodes.keys()
        renumbered = self._numbers.update((names & self._numbered) - there, there - self._numbered)
        self._numbered = (self._numbered - names) | there
        changed: dict[str, RemoteNode | None] = {}
        for name in names | renumbered:
            other = self._remote(name)
            if other != self._others.pop(name, None):
                changed[name] = other
            if other:
                self._others[name] = other
        return changed

    def _remote(self, name: str) -> RemoteNode | None:
        """Another node; None if there is no such node, or it is the bridge's own node."""
        node = self._nodes.get(name)
        if node is None or name == self._options.node:
            return None
        if node.tunnel_address is None:
            raise UsageError(f"node {name} has no InternalIP for its tunnel; give it one in status.addresses")
        addresses = (*node.addresses, *node.gateways)
        judged = self._options.strict_nodes
        return RemoteNode(name, self._numbers[name], node.tunnel_address, node.pod_cidrs, addresses, judged)

    def update_pods(
        self, went: Iterable[Pod], came: Iterable[Pod], ports: BridgePorts | None
    ) -> dict[str, LocalPod | None]:
        """Remove pods, then add pods; ``ports`` None: as before. Returns the local pods that have changed."""
        touched: set[str] = set()
        if self._here:
            for pod in (*went, *came):
                if self._here.pop(pod.key, None):
                    touched.add(pod.key)
        for pod in came:
            if pod.is_on(self._options.node):
                self._here[pod.key] = pod
                touched.add(pod.key)
        if ports and ports != self._ports:
            last = self._ports.pods
            touched.update(key for key in last.keys() | ports.pods.keys() if last.get(key) != ports.pods.get(key))
            self._ports, self._stale = ports, True
        changed: dict[str, LocalPod | None] = {}
        for key in touched:
            local = self._locate(key)
            if local != self._local.get(key):
                changed[key] = local
        self._stale |= bool(changed)
        keep(self._local, changed)
        return changed

    def _locate(self, key: str) -> LocalPod | None:
        pod, port = self._here.get(key), self._ports.pods.get(key)
        return LocalPod(pod, port) if pod and port else None

    def bridge(self, service_cidrs: tuple[Prefix, ...]) -> Bridge:
        """The current bridge; raises UsageError where the cluster has nodes, but not the bridge's own node."""
        if self._stale or service_cidrs != self._bridge.service_cidrs:
            self._stale = False
            self._bridge = self._make(service_cidrs)
        return self._bridge

    def _make(self, service_cidrs: tuple[Prefix, ...]) -> Bridge:
        name = self._options.node
        node = self._nodes.get(name) if name and self._nodes else None
        if name and self._nodes and node is None:
            raise UsageError(f"there is no node {name}; there are {', '.join(sorted(self._nodes))}")
        own = node.pod_cidrs if node else ()
        addresses = {address for local in self._local.values() for address in local.pod.addresses}
        hosts = map(host_prefix, addresses)
        prefixes = merge((*own, *(host for host in hosts if not any(cidr.contains(host) for cidr in own))))
        return Bridge(
            node,
            self._ports.tunnel,
            self._ports.gateway,
            tuple(sorted({cidr.family for cidr in own} | set(map(family, addresses)))),
            prefixes,
            self.pod_cidrs if node else prefixes,
            service_cidrs,
            alone=not self._others,
        )
