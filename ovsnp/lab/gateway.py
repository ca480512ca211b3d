"""The host side of a node's gateway port: addresses and routes, which on a real node the CNI or kubelet sets up.

The compiler and the bridge end at the port (``ovsnp-gw0``). Through this port the node's own stack reaches local pods
directly, pods of other nodes over the tunnel, and cluster IPs by the endpoint that the bridge chooses. Packets from the
node's underlay address go to pods of other nodes over the underlay instead: so a reply takes the path of its request,
and conntrack sees both.
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
    """Set the addresses and routes of a node's gateway port; raises SwitchError where a command fails."""
    for command in commands(cluster, node, mtu, _underlay(runtime, node, container)):
        runtime.run(container, command)


def route_services(runtime: Runtime, cluster: Cluster, node: Node, container: str) -> None:
    """Route cluster IPs from a node's own stack to the bridge; raises SwitchError where a command fails."""
    for command in service_routes(cluster, node):
        runtime.run(container, command)


def _underlay(runtime: Runtime, node: Node, container: str) -> str:
    """The interface with the node's first InternalIP; raises SwitchError where there is none."""
    if not node.addresses:
        raise SwitchError(f"node {node.name} has no InternalIP; give it one in the cluster's manifests")
    address = format_address(node.addresses[0])
    links = json.loads(runtime.run(container, ["ip", "-json", "addr", "show", "to", address]))
    for link in links:
        if "ifname" in link:
            return str(link["ifname"])
    raise SwitchError(f"{container}: no interface has {address}, the InternalIP of node {node.name}")


def commands(cluster: Cluster, node: Node, mtu: int, underlay: str) -> Iterator[list[str]]:
    """The `ip` commands of one node, in order; ``underlay`` is the interface that leads to the other nodes."""
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
    """The `ip` commands for routes to the ranges of ServiceCIDR objects; without such objects, to every cluster IP."""
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
            # The underlay accepts larger packets than pods do, and SCTP does not recover from a packet too large.
            by = ["via", addresses[cidr.family], "dev", device, "onlink", "mtu", str(mtu)]
            yield [*replace, *by, "table", TABLE]
