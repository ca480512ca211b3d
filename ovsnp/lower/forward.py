"""Forward: where a packet goes."""

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
    """Where packets go that go to no pod of the cluster."""
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
    """Cluster IPs that no Service has."""
    for cidr in bridge.service_cidrs:
        yield Flow("Forward", p.UNROUTABLE, match_prefix(f.IP_DST, cidr), (), FlowNote(Purpose.NO_SERVICE))


def pod_flows(local: LocalPod, subject: int) -> Iterator[Flow]:
    """Routes to a pod; ``subject`` is its number where it is isolated for ingress, or 0."""
    isolated = (SetField(r.INGRESS_SUBJECT, subject),) if subject else ()
    for address in local.pod.addresses:
        yield _host(address, (*isolated, *_deliver(local.port)), FlowNote(Purpose.POD, (local.pod.key,)))


def node_flows(node: RemoteNode, tunnel: int, families: tuple[int, ...]) -> Iterator[Flow]:
    """Routes to the pods of another node, and the way back to it."""
    endpoint = SetField(f.TUNNEL_DST[family(node.tunnel_address)], int.from_bytes(node.tunnel_address, "big"))
    actions = _route((SetField(f.ETH_DST, ROUTER_MAC), endpoint, SetField(r.OUT_PORT, tunnel)))
    to, back = (FlowNote(purpose, (node.name,)) for purpose in (Purpose.TO_NODE, Purpose.BACK_TO_NODE))
    for cidr in node.pod_cidrs:
        yield Flow("Forward", p.NODE_ROUTE, match_prefix(f.IP_DST, cidr), actions, to)
    # Whoever came through a node's tunnel (somebody outside, by that node's gateway) expects the answer from there.
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
