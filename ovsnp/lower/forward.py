"""Forward: the routes of packets."""

from collections.abc import Iterator

from ovsnp.flows.action import Action, DecTtl, Goto, SetField
from ovsnp.flows.flow import Flow
from ovsnp.flows.match import Match, connection, exactly, match_prefix
from ovsnp.flows.note import FlowNote, Purpose
from ovsnp.model.address import Address, family, host_prefix, parse_prefix
from ovsnp.model.bridge import Bridge, BridgePort, LocalPod, RemoteNode
from ovsnp.pipeline import fields as f
from ovsnp.pipeline import priorities as p
from ovsnp.pipeline import registers as r
from ovsnp.pipeline.ports import ROUTER_MAC

_UNROUTABLE = tuple(map(parse_prefix, ("224.0.0.0/4", "255.255.255.255/32", "ff00::/8", "fe80::/10")))


def flows(bridge: Bridge) -> Iterator[Flow]:
    """Routes to the gateway and out of the cluster, and drops of packets that have no route."""
    for prefix in (prefix for prefix in _UNROUTABLE if prefix.family in bridge.families):
        yield Flow("Forward", p.UNROUTABLE, match_prefix(f.IP_DST, prefix), (), FlowNote(Purpose.UNROUTABLE))
    for address in bridge.gateways:
        yield _host(address, _deliver(bridge.gateway), FlowNote(Purpose.GATEWAY_ADDRESS))
    for cidr in bridge.pod_cidrs:
        yield Flow("Forward", p.NODE_ROUTE, match_prefix(f.IP_DST, cidr), (), FlowNote(Purpose.NO_POD))
    for version in bridge.families:
        match = Match(f.IP_KIND[version])
        yield Flow("Forward", p.DEFAULT_ROUTE, match, _route(_deliver(bridge.gateway)), FlowNote(Purpose.WORLD))


def service_cidrs(bridge: Bridge) -> Iterator[Flow]:
    """Drops of packets to cluster IPs that no Service has."""
    for cidr in bridge.service_cidrs:
        yield Flow("Forward", p.UNROUTABLE, match_prefix(f.IP_DST, cidr), (), FlowNote(Purpose.NO_SERVICE))


def pod_flows(local: LocalPod, subject: int) -> Iterator[Flow]:
    """Routes to a pod; ``subject`` is the pod's subject number for ingress (0: not isolated)."""
    isolated = (SetField(r.INGRESS_SUBJECT, subject),) if subject else ()
    for address in local.pod.addresses:
        yield _host(address, (*isolated, *_deliver(local.port)), FlowNote(Purpose.POD, (local.pod.key,)))


def node_flows(node: RemoteNode, tunnel: int, families: tuple[int, ...]) -> Iterator[Flow]:
    """Routes to the pods of another node, and of answers to connections that came through its tunnel."""
    endpoint = SetField(f.TUNNEL_DST[family(node.tunnel_address)], int.from_bytes(node.tunnel_address, "big"))
    actions = _route((SetField(f.ETH_DST, ROUTER_MAC), endpoint, SetField(r.OUT_PORT, tunnel)))
    to, back = (FlowNote(purpose, (node.name,)) for purpose in (Purpose.TO_NODE, Purpose.BACK_TO_NODE))
    for cidr in node.pod_cidrs:
        yield Flow("Forward", p.NODE_ROUTE, match_prefix(f.IP_DST, cidr), actions, to)
    # A client whose connection came through a node's tunnel expects the answer from that node: the client may be
    # outside of the cluster, and have come by that node's gateway.
    returning = (connection("+rpl+trk"), exactly(f.CT_MARK, node.number))
    for version in families:
        match = Match(f.IP_KIND[version], returning)
        yield Flow("Forward", p.RETURN_ROUTE, match, actions, back)


def _host(address: Address, actions: tuple[Action, ...], note: FlowNote) -> Flow:
    return Flow("Forward", p.HOST_ROUTE, match_prefix(f.IP_DST, host_prefix(address)), _route(actions), note)


def _route(actions: tuple[Action, ...]) -> tuple[Action, ...]:
    return (SetField(f.ETH_SRC, ROUTER_MAC), *actions, DecTtl(), Goto("Ingress"))


def _deliver(port: BridgePort) -> tuple[Action, ...]:
    return SetField(f.ETH_DST, port.mac), SetField(r.OUT_PORT, port.ofport)
