"""Connections that no policy can forbid, and packets that no policy can allow (docs/semantics.md)."""

import pytest

from ovsnp.model.policy import Direction, Rule
from ovsnp.model.selector import Selector
from ovsnp.oracle import ICMP, Exemption, NodeEnd, OutsideEnd, PodEnd, judge, who
from tests.support.model_objects import addresses, allowed, block, cluster, node, pod, pods, policy, tcp, udp, verdict

DENY = policy("default/deny", types=list(Direction))
OWN = node("node-0", "172.16.0.10", "10.0.0.0/24", "fd00:10::/64")
OTHER = node("node-1", "172.16.0.11", "10.0.1.0/24", "fd00:11::/64")
POD = pod("default/a", "10.0.0.2", "fd00:10::2")
STATE = cluster(OWN, OTHER, POD, DENY)
IPV4, IPV6 = "10.0.0.2", "fd00:10::2"
OWN_ADDRESSES = [(IPV4, "172.16.0.10"), (IPV4, "10.0.0.1"), (IPV6, "fd00:10::1")]
OTHER_ADDRESSES = [(IPV4, "172.16.0.11"), (IPV4, "10.0.1.1"), (IPV6, "fd00:11::1")]


@pytest.mark.parametrize("strict_nodes", [False, True])
@pytest.mark.parametrize(("local", "node_address"), OWN_ADDRESSES)
def test_a_pod_and_its_own_node_always_reach_each_other(local: str, node_address: str, strict_nodes: bool) -> None:
    for traffic in (tcp(80), udp(53), ICMP):
        out = verdict(STATE, local, node_address, traffic, strict_nodes=strict_nodes)
        into = verdict(STATE, node_address, local, traffic, strict_nodes=strict_nodes)
        assert out.allowed
        assert into.allowed
        assert out.egress.exempt is into.ingress.exempt is Exemption.NODE


def test_an_exempt_side_still_tells_its_policies() -> None:
    allow = policy("default/allow", types=[Direction.EGRESS], egress=[Rule()])
    side = verdict(cluster(OWN, OTHER, POD, DENY, allow), IPV4, "172.16.0.10").egress
    assert side.isolated_by == (DENY, allow)
    assert [str(admission) for admission in side.admitted_by] == ["default/allow egress[0]"]


@pytest.mark.parametrize(("local", "node_address"), OTHER_ADDRESSES)
def test_another_node_is_exempt_unless_strict(local: str, node_address: str) -> None:
    for source, destination in ((local, node_address), (node_address, local)):
        assert allowed(STATE, source, destination)
        assert not allowed(STATE, source, destination, strict_nodes=True)


def test_a_strict_node_is_judged_as_its_address() -> None:
    by_address = policy("default/by-address", ingress=[Rule(peers=(block("172.16.0.11/32"),))])
    by_selector = policy("default/by-selector", ingress=[Rule(peers=(pods(namespaces=Selector()),))])
    assert allowed(cluster(OWN, OTHER, POD, by_address), "172.16.0.11", IPV4, strict_nodes=True)
    assert not allowed(cluster(OWN, OTHER, POD, by_address), "10.0.1.1", IPV4, strict_nodes=True)
    assert not allowed(cluster(OWN, OTHER, POD, by_selector), "172.16.0.11", IPV4, strict_nodes=True)


def test_a_pod_on_another_node_has_its_own_node_exempt() -> None:
    state = cluster(OWN, OTHER, pod("default/b", "10.0.1.2", on="node-1"), DENY)
    assert allowed(state, "172.16.0.11", "10.0.1.2", strict_nodes=True)
    assert not allowed(state, "172.16.0.10", "10.0.1.2", strict_nodes=True)


def test_without_node_objects_there_are_no_nodes() -> None:
    state = cluster(pod("default/a", IPV4, on=None), DENY)
    assert who(state, *addresses("10.0.0.1")) == OutsideEnd(*addresses("10.0.0.1"))
    assert not allowed(state, "10.0.0.1", IPV4)


@pytest.mark.parametrize("own", [IPV4, IPV6])
def test_a_pod_always_reaches_itself(own: str) -> None:
    answer = verdict(STATE, own, own, strict_nodes=True)
    assert answer.allowed
    assert answer.egress.exempt is answer.ingress.exempt is Exemption.SELF


def test_a_pod_of_the_same_name_in_another_namespace_is_not_itself() -> None:
    state = cluster(OWN, POD, pod("other/a", "10.0.0.3"), DENY)
    assert not allowed(state, "10.0.0.3", IPV4)


def test_only_the_first_packet_is_judged() -> None:
    """A reply is allowed with its connection; a new connection in the reverse direction is judged separately."""
    state = cluster(OWN, POD, pod("other/b", "10.0.0.3"), policy("default/in"))
    assert allowed(state, IPV4, "10.0.0.3")
    assert not allowed(state, "10.0.0.3", IPV4)


def test_who_tells_pods_nodes_and_outsiders_apart() -> None:
    four, six, tunnel, gateway, world = addresses(IPV4, IPV6, "172.16.0.11", "10.0.1.1", "192.0.2.1")
    assert [who(STATE, address) for address in (four, six)] == [PodEnd(POD, four), PodEnd(POD, six)]
    assert [who(STATE, address) for address in (tunnel, gateway)] == [NodeEnd(OTHER, tunnel), NodeEnd(OTHER, gateway)]
    assert who(STATE, world) == OutsideEnd(world)


def test_a_pod_with_a_nodes_address_is_a_pod() -> None:
    thief = pod("default/thief", "172.16.0.11")
    state = cluster(OWN, OTHER, POD, thief, DENY)
    assert not allowed(state, "172.16.0.11", IPV4)


@pytest.mark.parametrize(
    ("source", "group"),
    [(IPV4, "224.0.0.5"), (IPV4, "255.255.255.255"), (IPV4, "10.0.0.255"), (IPV4, "10.0.1.255"), (IPV6, "ff02::1")],
)
def test_multicast_and_broadcast_reach_nobody(source: str, group: str) -> None:
    answer = verdict(cluster(OWN, OTHER, POD), source, group)
    assert answer.undelivered
    assert not answer.allowed


@pytest.mark.parametrize(
    ("source", "address"), [(IPV4, "10.0.0.254"), (IPV4, "10.0.2.255"), (IPV6, "fd00:10::ffff:ffff:ffff:ffff")]
)
def test_other_addresses_are_no_groups(source: str, address: str) -> None:
    assert allowed(cluster(OWN, OTHER, POD), source, address)


def test_ipv6_has_no_broadcast() -> None:
    large = node("node-2", "172.16.0.12", "fd00:8000::/17")
    assert allowed(cluster(OWN, large, POD), IPV6, "fd00:ffff:ffff:ffff:ffff:ffff:ffff:ffff")


@pytest.mark.parametrize(("cidr", "address"), [("10.0.2.0/31", "10.0.2.1"), ("10.0.2.0/32", "10.0.2.0")])
def test_blocks_of_one_or_two_addresses_have_no_broadcast(cidr: str, address: str) -> None:
    small = node("node-2", "172.16.0.12", cidr)
    assert allowed(cluster(OWN, small, POD), IPV4, address)


def test_a_pod_may_hold_the_last_address_of_its_cidr() -> None:
    assert allowed(cluster(OWN, POD, pod("default/last", "10.0.0.255")), IPV4, "10.0.0.255")


def test_families_never_mix() -> None:
    four, six = addresses(IPV4, IPV6)
    with pytest.raises(ValueError, match="one family"):
        judge(STATE, PodEnd(POD, four), PodEnd(POD, six), tcp(80))
    with pytest.raises(ValueError, match="one family"):
        judge(STATE, NodeEnd(OTHER, six), PodEnd(POD, four), tcp(80))
