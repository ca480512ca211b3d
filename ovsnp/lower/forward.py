"""Forward: where a packet goes."""

from collections.abc import Iterator, Mapping

from ovsnp.flows.action import Action, DecTtl, Goto, SetField
from ovsnp.flows.flow import Flow
from ovsnp.flows.match import Match, connection, exactly, of_addresses
from ovsnp.model.address import Address, family, host_prefix, parse_prefix
from ovsnp.model.bridge import Bridge, Port, RemoteNode
from ovsnp.pipeline import fields as f
from ovsnp.pipeline import priorities as p
from ovsnp.pipeline import registers as r
from ovsnp.pipeline.ports import ROUTER_MAC

_UNROUTABLE = tuple(map(parse_prefix, ("224.0.0.0/4", "255.255.255.255/32", "ff00::/8", "fe80::/10")))


def flows(bridge: Bridge, subjects: Mapping[str, int]) -> Iterator[Flow]:
    """Routes of the bridge; ``subjects`` are the numbers of pods isolated for ingress."""
    for prefix in (prefix for prefix in _UNROUTABLE if prefix.family in bridge.families):
        yield Flow("Forward", p.UNROUTABLE, of_addresses(f.IP_DST, prefix), (), "multicast, broadcast and link-local")
    for cidr in bridge.service_cidrs:
        yield Flow("Forward", p.UNROUTABLE, of_addresses(f.IP_DST, cidr), (), "no such Service")
    for local in bridge.pods:
        number = subjects.get(local.pod.key, 0)
        isolated = (SetField(r.INGRESS_SUBJECT, number),) if number else ()
        for address in local.pod.addresses:
            yield _host(address, (*isolated, *_deliver(local.port)), local.pod.key)
    for address in bridge.gateways:
        yield _host(address, _deliver(bridge.gateway), "the node's gateway address")
    for cidr in bridge.pod_cidrs:
        yield Flow("Forward", p.NODE_ROUTE, of_addresses(f.IP_DST, cidr), (), "no such pod on this node")
    for node in bridge.others:
        yield from _remote(bridge, node)
    for version in bridge.families:
        match = Match(f.IP_KIND[version])
        yield Flow("Forward", p.DEFAULT_ROUTE, match, _route(_deliver(bridge.gateway)), "the rest of the world")


def _host(address: Address, actions: tuple[Action, ...], note: str) -> Flow:
    return Flow("Forward", p.HOST_ROUTE, of_addresses(f.IP_DST, host_prefix(address)), _route(actions), note)


def _route(actions: tuple[Action, ...]) -> tuple[Action, ...]:
    return (SetField(f.ETH_SRC, ROUTER_MAC), *actions, DecTtl(), Goto("Ingress"))


def _deliver(port: Port) -> tuple[Action, ...]:
    return SetField(f.ETH_DST, port.mac), SetField(r.OUT_PORT, port.ofport)


def _remote(bridge: Bridge, node: RemoteNode) -> Iterator[Flow]:
    endpoint = SetField(f.TUNNEL_DST[family(node.tunnel_address)], int.from_bytes(node.tunnel_address, "big"))
    actions = _route((SetField(f.ETH_DST, ROUTER_MAC), endpoint, SetField(r.OUT_PORT, bridge.tunnel)))
    for cidr in node.pod_cidrs:
        yield Flow("Forward", p.NODE_ROUTE, of_addresses(f.IP_DST, cidr), actions, f"to node {node.name}")
    # Whoever came through a node's tunnel (somebody outside, by that node's gateway) expects the answer from there.
    returning = (connection("+rpl+trk"), exactly(f.CT_MARK, node.number))
    for version in bridge.families:
        match = Match(f.IP_KIND[version], returning)
        yield Flow("Forward", p.RETURN_ROUTE, match, actions, f"back to node {node.name}")
