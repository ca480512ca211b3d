"""The host side of a node's gateway port: addresses and routes, which on a real node the CNI or kubelet sets up.

Compiler and bridge stop at the port (``ovsnp-gw0``). The node's own stack reaches local pods on it directly, other
nodes' pods through it and the tunnel, and cluster IPs through it and what endpoint the bridge chooses. What leaves
with the node's underlay address as its source goes to other nodes' pods over the underlay instead: so the answer
takes the way its question came, and conntrack sees both.
"""

import json
from collections.abc import Iterator

from ovsnp.errors import SwitchError
from ovsnp.lab.runtime.interface import Runtime
from ovsnp.model.address import family, format_address, host_prefix
from ovsnp.model.cluster import Cluster, Node

PORT = "ovsnp-gw0"
TABLE = "100"


def set_up(runtime: Runtime, cluster: Cluster, node: Node, container: str, mtu: int) -> None:
    """Give a node's gateway port its addresses and routes; raises SwitchError where one is refused."""
    for command in commands(cluster, node, mtu, _underlay(runtime, node, container)):
        runtime.run(container, command)


def route_services(runtime: Runtime, cluster: Cluster, node: Node, container: str) -> None:
    """Have a node's own stack reach cluster IPs by the bridge; raises SwitchError where a route is refused."""
    for command in service_routes(cluster, node):
        runtime.run(container, command)


def _underlay(runtime: Runtime, node: Node, container: str) -> str:
    """The interface that has the node's own address; raises SwitchError where none has."""
    if not node.addresses:
        raise SwitchError(f"node {node.name} has no InternalIP; give it one in the cluster's manifests")
    address = format_address(node.addresses[0])
    links = json.loads(runtime.run(container, ["ip", "-json", "addr", "show", "to", address]))
    for link in links:
        if "ifname" in link:
            return str(link["ifname"])
    raise SwitchError(f"{container}: no interface has {address}, the InternalIP of node {node.name}")


def commands(cluster: Cluster, node: Node, mtu: int, underlay: str) -> Iterator[list[str]]:
    """The `ip` commands of one node, in order; ``underlay`` is the interface that other nodes are reached by."""
    yield ["ip", "link", "set", "dev", PORT, "mtu", str(mtu), "up"]
    for cidr in node.pod_cidrs:
        nodad = ["nodad"] if cidr.family == 6 else []
        yield ["ip", "addr", "replace", f"{format_address(cidr.gateway)}/{cidr.length}", "dev", PORT, *nodad]
    for address in node.addresses:
        yield ["ip", f"-{family(address)}", "rule", "add", "from", format_address(address), "lookup", TABLE]
    for other in cluster.nodes.values():
        if other != node:
            yield from _routes(node, other, underlay, mtu)
    yield from service_routes(cluster, node)


def service_routes(cluster: Cluster, node: Node) -> Iterator[list[str]]:
    """Routes to cluster IPs: where ServiceCIDR objects say they lie, without such objects to those there are."""
    ips = {ip for service in cluster.services for ip in service.cluster_ips}
    own = {cidr.family: format_address(cidr.gateway) for cidr in node.pod_cidrs}
    for cidr in cluster.service_cidrs or map(host_prefix, sorted(ips)):
        if cidr.family in own:
            yield ["ip", f"-{cidr.family}", "route", "replace", str(cidr), "dev", PORT, "src", own[cidr.family]]


def _routes(node: Node, other: Node, device: str, mtu: int) -> Iterator[list[str]]:
    own = {cidr.family: format_address(cidr.gateway) for cidr in node.pod_cidrs}
    addresses = {family(address): format_address(address) for address in reversed(other.addresses)}
    for cidr in other.pod_cidrs:
        replace = ["ip", f"-{cidr.family}", "route", "replace", str(cidr)]
        if cidr.family in own:
            via = format_address(cidr.gateway)
            yield [*replace, "via", via, "dev", PORT, "onlink", "src", own[cidr.family]]
        if cidr.family in addresses:
            # The underlay takes larger packets than pods do, and SCTP does not recover from one that is too large.
            by = ["via", addresses[cidr.family], "dev", device, "onlink", "mtu", str(mtu)]
            yield [*replace, *by, "table", TABLE]
