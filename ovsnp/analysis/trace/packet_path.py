"""The path of a connection's first packet, from bridge to bridge."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from ovsnp.analysis.naming.questions import Connection
from ovsnp.analysis.trace.nodes import TracedNode, bridge_of
from ovsnp.analysis.trace.packet import first_packet, opening, tunneled_packet
from ovsnp.analysis.trace.stretch import Stretch, table_name, trace_over
from ovsnp.errors import SwitchError, UsageError
from ovsnp.model.address import Address, format_address
from ovsnp.model.bridge import BridgePort
from ovsnp.model.cluster import Cluster
from ovsnp.oracle import Endpoint, NodeEnd, PodEnd, who
from ovsnp.pipeline import fields as f
from ovsnp.pipeline.ports import ROUTER_MAC


class Fate(StrEnum):
    """The end of the path of the packet."""

    DELIVERED = "delivered"
    DROPPED = "dropped"
    ASTRAY = "astray"
    """The packet left by a port that is not the destination's."""
    UNFINISHED = "unfinished"
    """The packet went on to a node that is not traced."""


class PacketPath(msgspec.Struct, frozen=True):
    """The path of a packet: one stretch for each bridge (at least one), and the outcome, also in words.

    ``before`` and ``rest`` are nodes that are not traced: where the path starts, and where it goes on. ``backend`` is
    the endpoint, with its port, that a connection to a cluster IP got.
    """

    stretches: tuple[Stretch, ...]
    fate: Fate
    words: str
    before: str | None = None
    rest: str | None = None
    backend: tuple[Endpoint, int] | None = None


def follow(
    cluster: Cluster,
    nodes: Mapping[str | None, TracedNode],
    connection: Connection,
    start: str | None,
    source_port: int,
) -> PacketPath:
    """Trace a connection's first packet from the node where it starts, as far as it stays on ``nodes``.

    If only the node of the destination is there, the path begins with the packet that comes out of the tunnel there.
    Raises UsageError if neither is there, SwitchError if Open vSwitch does not answer, or has no port of the source.
    """
    node, before = nodes.get(start), None
    if node is not None:
        packet = first_packet(connection, _entrance(node, connection.source), source_port)
    else:
        node, before = _second_half(nodes, connection, start), start
        packet = _through_tunnel(cluster, start, opening(connection, ROUTER_MAC, source_port), node)
    stretches: list[Stretch] = []
    while True:
        stretch = trace_over(node, packet)
        stretches.append(stretch)
        following = _node_at(cluster, stretch.tunneled_to)
        # A packet goes on through a second tunnel only if flows that are not ovsnp's send it there.
        if following not in nodes or following is None or len(stretches) == 2:
            fate, words = _tunneled(stretch.tunneled_to, following, nodes) or _ended(cluster, stretch)
            rest = following if fate is Fate.UNFINISHED else None
            return PacketPath(tuple(stretches), fate, words, before, rest, _backend(cluster, connection, stretches[0]))
        packet = _through_tunnel(cluster, node.name, stretch.last, nodes[following])
        node = nodes[following]


def _entrance(node: TracedNode, source: Endpoint) -> BridgePort:
    if not isinstance(source, PodEnd):
        return node.ports.gateway
    if source.pod.key not in node.ports.pods:
        raise SwitchError(
            f"{source.pod.key} has no port{_on(node)}, so none of its packets comes past the bridge:"
            f" {node.lacks(source.pod.key)}"
        )
    return node.ports.pods[source.pod.key]


def _second_half(nodes: Mapping[str | None, TracedNode], connection: Connection, start: str | None) -> TracedNode:
    """The destination's node; raises UsageError unless the destination is a pod of a traced node.

    The endpoint of a Service is not known before a bridge has chosen it.
    """
    destination = connection.destination
    node = nodes.get(bridge_of(nodes, destination.pod)) if isinstance(destination, PodEnd) else None
    if node is None:
        raise UsageError(f"the way starts on node {start}; give its database: --db {start}=SOCKET")
    return node


def _through_tunnel(cluster: Cluster, sender: str | None, sent: Mapping[str, str], receiver: TracedNode) -> str:
    ends = [_tunnel_end(cluster, name) for name in (sender, receiver.name)]
    if ends[0] is None or ends[1] is None:
        raise UsageError(
            f"the tunnel between nodes {sender} and {receiver.name} needs an InternalIP of each;"
            " add the missing one to status.addresses"
        )
    return tunneled_packet(sent, (ends[0], ends[1]), receiver.ports.tunnel)


def _tunnel_end(cluster: Cluster, name: str | None) -> Address | None:
    node = cluster.nodes.get(name or "")
    return node.tunnel_address if node else None


def _node_at(cluster: Cluster, address: Address | None) -> str | None:
    found = (node.name for node in cluster.nodes.values() if address and node.tunnel_address == address)
    return next(found, None)


def _tunneled(
    receiver: Address | None, following: str | None, nodes: Mapping[str | None, TracedNode]
) -> tuple[Fate, str] | None:
    """The outcome for a packet that left by the tunnel, also in words; None if it did not."""
    if receiver is None:
        return None
    if following is None:
        return Fate.ASTRAY, f"sent through the tunnel to {format_address(receiver)}, which is no node's"
    if following in nodes:
        return Fate.ASTRAY, f"sent through a tunnel once more, to node {following}"
    return Fate.UNFINISHED, f"the rest happens on node {following}; give its database too: --db {following}=SOCKET"


def _ended(cluster: Cluster, stretch: Stretch) -> tuple[Fate, str]:
    """The outcome on the last bridge, also in words."""
    node, sent = stretch.node, stretch.sent
    if sent is None or sent[0].failure:
        last = [visit for visit in stretch.visits if not visit.depth][-1]
        return Fate.DROPPED, f"in {table_name(last.table)}{_on(node)}{f': {sent[0].failure}' if sent else ''}"
    visit, out = sent
    if not out.isdigit():
        return Fate.ASTRAY, f"sent by {out} in {table_name(visit.table)}{_on(node)}"
    at = int(out) == _exit(node, who(cluster, stretch.address(f.IP_DST)))
    return Fate.DELIVERED if at else Fate.ASTRAY, f"out of the port of {node.port_name(int(out))}{_on(node)}"


def _on(node: TracedNode) -> str:
    return f" on node {node.name}" if node.name else f" on {node.bridge}"


def _exit(node: TracedNode, destination: Endpoint) -> int | None:
    """The port by which a packet must leave the last bridge to reach its destination; None if there is no such port."""
    if isinstance(destination, PodEnd):
        port = node.ports.pods.get(destination.pod.key)
        return port.ofport if port else None
    if isinstance(destination, NodeEnd) and destination.address in destination.node.gateways:
        return node.ports.gateway.ofport if destination.node.name == node.name else None
    return node.ports.gateway.ofport


def _backend(cluster: Cluster, connection: Connection, first: Stretch) -> tuple[Endpoint, int] | None:
    given = first.address(f.IP_DST)
    return None if given == connection.destination.address else (who(cluster, given), int(first.last["tp_dst"]))
