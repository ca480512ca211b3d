"""The ends of the lab's connections: pods, nodes, and hosts outside the cluster."""

import json
from enum import StrEnum

import msgspec

from ovsnp.errors import UsageError
from ovsnp.lab.runtime.interface import Runtime
from ovsnp.lab.topology import Topology, TopologyNode
from ovsnp.model.address import Address, parse_address
from ovsnp.model.cluster import Cluster


class HostKind(StrEnum):
    """The kinds of hosts."""

    POD = "pod"
    NODE = "node"
    OUTSIDE = "outside"


class Host(msgspec.Struct, frozen=True):
    """An end of connections that has its own network stack in the lab.

    ``name`` is the name that a user writes (``NAMESPACE/POD``, ``node/NAME``), ``container`` the node in the topology.
    ``addresses`` are all addresses that the host sends from and receives at; a node's include its gateway addresses.
    """

    kind: HostKind
    name: str
    container: str
    addresses: tuple[Address, ...]

    @property
    def group(self) -> str:
        """The group in which the host is shown: a pod's namespace, or the kind."""
        return self.name.partition("/")[0] if self.kind is HostKind.POD else self.kind


def hosts(topology: Topology, cluster: Cluster, runtime: Runtime) -> list[Host]:
    """The hosts of a lab: pods by namespace and name, then nodes, then outside hosts.

    A pod of the topology that is not among ``cluster.pods`` is left out: for policies it does not exist.
    """
    found = {HostKind.POD: _pods(topology, cluster), HostKind.NODE: _nodes(topology, cluster)}
    found[HostKind.OUTSIDE] = [
        Host(HostKind.OUTSIDE, node.outside, node.name, _addresses(runtime, node))
        for node in topology.nodes
        if node.outside is not None
    ]
    return [host for kind in HostKind for host in sorted(found[kind], key=lambda host: host.name)]


def check(topology: Topology, cluster: Cluster) -> None:
    """Raise UsageError where the topology and the cluster's manifests do not have the same nodes."""
    in_topology = {node.cluster_node for node in topology.nodes if node.cluster_node is not None}
    for name in sorted(in_topology ^ set(cluster.nodes)):
        where = "the cluster's manifests have no such Node" if name in in_topology else "the topology has none"
        raise UsageError(f"node {name}: {where}; both must have the same nodes ({topology.file})")


def _pods(topology: Topology, cluster: Cluster) -> list[Host]:
    containers = {node.pod: node.name for node in topology.nodes if node.pod is not None}
    return [
        Host(HostKind.POD, pod.key, containers[pod.key], pod.addresses) for pod in cluster.pods if pod.key in containers
    ]


def _nodes(topology: Topology, cluster: Cluster) -> list[Host]:
    return [
        Host(HostKind.NODE, f"node/{node.name}", topology_node.name, (*node.addresses, *node.gateways))
        for topology_node in topology.nodes
        if (node := cluster.nodes.get(topology_node.cluster_node or "")) is not None
    ]


def _addresses(runtime: Runtime, node: TopologyNode) -> tuple[Address, ...]:
    """The global addresses on the interfaces of a host outside; the manifests do not have them."""
    links = json.loads(runtime.run(node.name, ["ip", "-json", "addr", "show", "scope", "global"]))
    return tuple(
        parse_address(address["local"]) for link in links for address in link.get("addr_info", []) if "local" in address
    )
