"""What one node's bridge must know of the cluster."""

from collections.abc import Collection

from ovsnp.errors import UsageError
from ovsnp.model.address import Prefix, host_prefix, merge
from ovsnp.model.bridge import Bridge, LocalPod, Port, Ports, RemoteNode
from ovsnp.model.cluster import Cluster, Node, Pod
from ovsnp.model.mac import derived_mac
from ovsnp.model.options import Options
from ovsnp.pipeline.numbers import number
from ovsnp.pipeline.ports import FIRST_OFFLINE_OFPORT, GATEWAY_MAC, GATEWAY_OFPORT, TUNNEL_OFPORT


def local_pods(cluster: Cluster, node: str | None) -> tuple[Pod, ...]:
    """The pods that run on a node; without Node objects also the pods that name no node, or all where none is asked."""
    return tuple(pod for pod in cluster.pods if pod.is_on(node))


def assume_ports(pods: Collection[Pod]) -> Ports:
    """Ports without a bridge to ask: numbered in the order of ``namespace/pod``.

    Raises UsageError where a pod has no IPv4 address to make its MAC address of.
    """
    macs = {pod.key: derived_mac(pod.addresses) for pod in pods}
    if without := sorted(key for key, mac in macs.items() if mac is None):
        raise UsageError(f"no MAC address to go by for {', '.join(without)}; give --ports FILE")
    numbered = enumerate(sorted(macs.items()), start=FIRST_OFFLINE_OFPORT)
    ports = {key: Port(ofport, mac) for ofport, (key, mac) in numbered if mac is not None}
    return Ports(TUNNEL_OFPORT, Port(GATEWAY_OFPORT, GATEWAY_MAC), ports, assumed=True)


def settle(cluster: Cluster, ports: Ports, options: Options) -> Bridge:
    """The bridge of ``options.node``, with those of its pods that have a port.

    Raises UsageError where a node's tunnel could not be reached: it has no InternalIP.
    """
    node = cluster.nodes[options.node] if options.node and cluster.nodes else None
    others = [other for other in cluster.nodes.values() if other is not node]
    judged = others if options.strict_nodes else []
    always = [other for other in cluster.nodes.values() if other not in judged]
    numbers = number(cluster.nodes)
    return Bridge(
        node,
        tuple(_remote(other, numbers[other.name]) for other in others),
        ports.tunnel,
        ports.gateway,
        tuple(LocalPod(pod, ports.pods[pod.key]) for pod in local_pods(cluster, options.node) if pod.key in ports.pods),
        tuple(address for other in always for address in (*other.addresses, *other.gateways)),
        tuple(address for other in judged for address in (*other.addresses, *other.gateways)),
        _service_cidrs(cluster, options),
    )


def _service_cidrs(cluster: Cluster, options: Options) -> tuple[Prefix, ...]:
    """Where cluster IPs lie: as the user and ServiceCIDR objects say, and where there are any."""
    there = {host_prefix(ip) for service in cluster.services for ip in service.cluster_ips}
    return merge({*options.service_cidrs, *cluster.service_cidrs, *there})


def _remote(node: Node, node_number: int) -> RemoteNode:
    if node.tunnel_address is None:
        raise UsageError(f"node {node.name} has no InternalIP for its tunnel; give it one in status.addresses")
    return RemoteNode(node.name, node_number, node.tunnel_address, node.pod_cidrs)
