"""Nodes and Services by name."""

from collections.abc import Iterator

from ovsnp.analysis.naming.absent import elsewhere
from ovsnp.analysis.naming.ends import SERVICE, ClusterIPEnd, Target, full_key, one_a_family
from ovsnp.analysis.naming.near_names import advice, nearest, nearest_keys
from ovsnp.errors import UsageError
from ovsnp.model.address import Address
from ovsnp.model.cluster import Cluster, Node
from ovsnp.model.service import Service
from ovsnp.oracle import NodeEnd


def node_target(node: Node) -> Target:
    """A node by its own addresses; by a gateway address for a family of which it has none.

    Raises UsageError where the node has no address at all.
    """
    ends = tuple(NodeEnd(node, each) for each in one_a_family((*node.addresses, *node.gateways)))
    if not ends:
        raise UsageError(f"node {node.name} has no address: its status names none, and it has no pod CIDR")
    return Target(f"node/{node.name}", ends)


def service_target(service: Service, addresses: tuple[Address, ...] = ()) -> Target:
    """A Service by these of its cluster IPs, or by all without ``addresses``; one for each family."""
    given = one_a_family(addresses or service.cluster_ips)
    return Target(f"{SERVICE}{service.key}", tuple(ClusterIPEnd(each, service) for each in given))


def service_names(cluster: Cluster) -> Iterator[str]:
    """The name of every Service, with the prefix that tells Services from pods."""
    yield from (f"{SERVICE}{service.key}" for service in cluster.services)


def find_node(cluster: Cluster, name: str) -> Node:
    """The node of this name; raises UsageError, with the nearest names, where there is none."""
    if name in cluster.nodes:
        return cluster.nodes[name]
    if not cluster.nodes:
        raise UsageError(f"there is no node {name}: the manifests have no Node objects")
    raise UsageError(f"there is no node {name}; {advice(nearest(name, cluster.nodes), cluster.nodes, 'nodes')}")


def find_service(cluster: Cluster, text: str) -> Service:
    """The Service ``NAMESPACE/NAME`` or ``NAME``; raises UsageError, with the nearest names, where there is none."""
    known = {service.key: service for service in cluster.services}
    key = full_key(text)
    if key in known:
        return known[key]
    likely = [f"{SERVICE}{each}" for each in nearest_keys(key, known)]
    hint = elsewhere(key, known, SERVICE) or advice(likely, (f"{SERVICE}{each}" for each in known), "Services")
    raise UsageError(f"there is no Service {key} with a cluster IP; {hint}")
