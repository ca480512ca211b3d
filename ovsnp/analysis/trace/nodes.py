"""The bridges on which a packet is traced: their nodes, their ports, and the flows that the manifests compile to."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import msgspec

from ovsnp.analysis.trace.transcript import Visit
from ovsnp.compiler import compile_cluster, local_pods
from ovsnp.errors import UsageError
from ovsnp.flows.flow import Flow
from ovsnp.flows.program import Program
from ovsnp.model.bridge import BridgePorts
from ovsnp.model.cluster import Cluster, Pod
from ovsnp.model.options import Encap, Options
from ovsnp.pipeline.ports import GATEWAY_PORT, TUNNEL_PORT
from ovsnp.switch.dump import parse_dump
from ovsnp.switch.location import Location
from ovsnp.switch.ovsdb import Database
from ovsnp.switch.ports import read_ports, rows_by_pod


class NodeSwitch(NamedTuple):
    """An Open vSwitch, and the name of its node, if the user gives one."""

    location: Location
    node: str | None = None


class TracedNode(msgspec.Struct, frozen=True):
    """A node's bridge; ``name`` is None where the cluster has no Node objects.

    ``program`` is the program that the manifests compile to for the node; ``flows`` are its flows by table, priority
    and parts of the match.
    """

    name: str | None
    location: Location
    bridge: str
    encap: Encap
    ports: BridgePorts
    program: Program
    flows: Mapping[tuple[int, int, frozenset[str]], Flow]

    def flow(self, visit: Visit) -> Flow | None:
        """The compiled flow that matched; None if no flow matched, or one that the manifests do not compile to."""
        found = self.flows.get((visit.table, visit.priority, frozenset(filter(None, visit.match.split(",")))))
        return found if found and found.cookie == visit.cookie else None

    def lacks(self, pod: str) -> str:
        """The reason why a pod has no port on the bridge; ``pod`` is its key."""
        why = next((odd.message for odd in self.ports.odd if odd.pod == pod and odd.closed), None)
        return why or f"no interface on {self.bridge} has external_ids:iface-id={pod}"

    def port_name(self, ofport: int) -> str:
        """The name of a port: a pod's key, the name of the tunnel or gateway port, or ``port NUMBER``."""
        names = {port.ofport: key for key, port in self.ports.pods.items()}
        names |= {self.ports.tunnel: TUNNEL_PORT, self.ports.gateway.ofport: GATEWAY_PORT}
        return names.get(ofport, f"port {ofport}")


def read_nodes(cluster: Cluster, switches: Sequence[NodeSwitch], options: Options) -> dict[str | None, TracedNode]:
    """The bridges by their nodes; ``options`` are the options with which they were compiled.

    Raises SwitchError if a bridge cannot be reached, UsageError if its node is not known, or if two are of one node.
    """
    found: dict[str | None, TracedNode] = {}
    for switch in switches:
        node = _read(cluster, switch, options)
        if node.name in found:
            whose = f"node {node.name}'s" if node.name else "the one node's, there being no Node objects"
            raise UsageError(f"{found[node.name].location.database} and {switch.location.database} are both {whose}")
        found[node.name] = node
    return found


def bridge_of(nodes: Mapping[str | None, TracedNode], pod: Pod) -> str | None:
    """The node of a pod, by the name under which its bridge is traced."""
    return next((name for name in nodes if pod.is_on(name)), pod.node)


def _read(cluster: Cluster, switch: NodeSwitch, options: Options) -> TracedNode:
    with Database(switch.location) as database:
        name = _whose(cluster, switch, rows_by_pod(database.interfaces(options.bridge)).keys())
        ports = read_ports(database.interfaces(options.bridge), local_pods(cluster, name))
    program = compile_cluster(cluster, ports, msgspec.structs.replace(options, node=name))
    flows = {(flow.table_id, flow.priority, parse_dump(f"{flow.match} actions=").match): flow for flow in program.flows}
    return TracedNode(name, switch.location, options.bridge, options.encap, ports, program, flows)


def _whose(cluster: Cluster, switch: NodeSwitch, pods: Collection[str]) -> str | None:
    if not cluster.nodes:
        return switch.node
    names = ", ".join(sorted(cluster.nodes))
    if switch.node is not None and switch.node not in cluster.nodes:
        raise UsageError(f"there is no node {switch.node}; there are {names}")
    if switch.node is not None or len(cluster.nodes) == 1:
        return switch.node or next(iter(cluster.nodes))
    holders = sorted({pod.node for pod in cluster.pods if pod.node is not None and pod.key in pods})
    if len(holders) == 1:
        return holders[0]
    why = f"its ports are of pods of {', '.join(holders)}" if holders else "none of its ports is a pod's"
    raise UsageError(
        f"which node is the Open vSwitch at {switch.location.database}? {why[0].upper()}{why[1:]}; name it"
        f" (--db NODE={switch.location.database.removeprefix('unix:')}): {names}"
    )
