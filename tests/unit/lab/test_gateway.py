"""Addresses and routes of a node's gateway port."""

from ovsnp.errors import Place
from ovsnp.lab.gateway import commands, service_routes
from ovsnp.model.address import parse_address, parse_prefix
from ovsnp.model.cluster import Cluster, Node
from ovsnp.model.service import Service


def node(name: str, cidrs: list[str], addresses: list[str]) -> Node:
    own = tuple(map(parse_address, addresses))
    return Node(name, tuple(map(parse_prefix, cidrs)), own, own[0])


def test_a_node_reaches_its_own_pods_directly_and_others_by_tunnel_or_underlay() -> None:
    one = node("one", ["10.1.0.0/24", "fd01::/64"], ["192.0.2.1", "2001:db8::1"])
    two = node("two", ["10.2.0.0/24", "fd02::/64"], ["192.0.2.2", "2001:db8::2"])
    made = [
        " ".join(command) for command in commands(Cluster({}, {"one": one, "two": two}, (), ()), one, 1400, "br-phy")
    ]
    assert made == [
        "ip link set dev ovsnp-gw0 mtu 1400 up",
        "ip addr replace 10.1.0.1/24 dev ovsnp-gw0",
        "ip addr replace fd01::1/64 dev ovsnp-gw0 nodad",
        "ip -4 rule add from 192.0.2.1 lookup 100",
        "ip -6 rule add from 2001:db8::1 lookup 100",
        "ip -4 route replace 10.2.0.0/24 via 10.2.0.1 dev ovsnp-gw0 onlink src 10.1.0.1",
        "ip -4 route replace 10.2.0.0/24 via 192.0.2.2 dev br-phy onlink mtu 1400 table 100",
        "ip -6 route replace fd02::/64 via fd02::1 dev ovsnp-gw0 onlink src fd01::1",
        "ip -6 route replace fd02::/64 via 2001:db8::2 dev br-phy onlink mtu 1400 table 100",
    ]


def test_a_family_that_only_one_node_has_gets_no_route() -> None:
    one = node("one", ["10.1.0.0/24"], ["192.0.2.1"])
    two = node("two", ["fd02::/64"], ["192.0.2.2"])
    made = [
        " ".join(command) for command in commands(Cluster({}, {"one": one, "two": two}, (), ()), one, 1400, "br-phy")
    ]
    assert not [command for command in made if "route" in command]


def service(*addresses: str) -> Service:
    ips = tuple(map(parse_address, addresses))
    return Service("default", "db", ips, (), None, None, local=False, unready=False, place=Place(""))


def test_cluster_ips_are_reached_by_the_gateway_port_where_service_cidrs_lie() -> None:
    one = node("one", ["10.1.0.0/24", "fd01::/64"], ["192.0.2.1"])
    cidrs = tuple(map(parse_prefix, ["10.96.0.0/16", "fd96::/112"]))
    cluster = Cluster({}, {"one": one}, (), (), (service("10.96.0.10"),), (), cidrs)
    routes = [
        "ip -4 route replace 10.96.0.0/16 dev ovsnp-gw0 src 10.1.0.1",
        "ip -6 route replace fd96::/112 dev ovsnp-gw0 src fd01::1",
    ]
    assert [" ".join(command) for command in service_routes(cluster, one)] == routes
    assert [" ".join(command) for command in commands(cluster, one, 1400, "br-phy")][-2:] == routes


def test_without_service_cidrs_each_cluster_ip_of_a_family_that_the_node_has_gets_a_route() -> None:
    one = node("one", ["10.1.0.0/24"], ["192.0.2.1"])
    services = (service("10.96.0.11", "fd96::11"), service("10.96.0.10"))
    routes = [" ".join(command) for command in service_routes(Cluster({}, {"one": one}, (), (), services), one)]
    assert routes == [
        "ip -4 route replace 10.96.0.10/32 dev ovsnp-gw0 src 10.1.0.1",
        "ip -4 route replace 10.96.0.11/32 dev ovsnp-gw0 src 10.1.0.1",
    ]
