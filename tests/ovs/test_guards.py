"""Decisions of no policy: spoofing, address resolution, unknown tunnels, states of connections. Packet, verdict."""

from collections.abc import Iterator

import pytest

from ovsnp.manifests import load_objects
from ovsnp.model.cluster import Cluster
from ovsnp.model.options import Options
from ovsnp.pipeline.ports import GATEWAY_OFPORT, TUNNEL_OFPORT
from tests.support.instance import DummySwitch
from tests.support.traced import TracedCluster

MAC, OTHER_MAC, ROUTER = "0a:58:00:01:00:65", "0a:58:00:01:00:66", "0a:58:00:00:00:01"
CLOSED, DB, FRONTEND, REMOTE = 100, 101, 102, "10.20.2.10"
POD = f"in_port={DB},dl_src={MAC},dl_dst={ROUTER}"
TUNNEL = f"in_port={TUNNEL_OFPORT},dl_src={ROUTER},dl_dst={ROUTER},tun_src=192.168.50.2"
GATEWAY = f"in_port={GATEWAY_OFPORT},dl_src=0a:58:00:00:00:02,dl_dst={ROUTER}"
V4 = "nw_src=10.20.1.10,nw_dst=10.20.1.11,nw_ttl=64"
V6 = "ipv6_src=fd00:10:20:1::10,ipv6_dst=fd00:10:20:1::11,nw_ttl=64"


def _node(number: int) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": f"node-{number}"},
        "spec": {"podCIDRs": [f"10.20.{number}.0/24", f"fd00:10:20:{number}::/64"]},
        "status": {"addresses": [{"type": "InternalIP", "address": f"192.168.50.{number}"}]},
    }


def _pod(name: str, node: int, host: int) -> dict[str, object]:
    ips = [{"ip": f"10.20.{node}.{host}"}, {"ip": f"fd00:10:20:{node}::{host}"}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "labels": {"name": name}},
        "spec": {"nodeName": f"node-{node}", "containers": []},
        "status": {"phase": "Running", "podIPs": ips},
    }


def _cluster() -> Cluster:
    pods = [_pod("db", 1, 10), _pod("frontend", 1, 11), _pod("closed", 1, 12), _pod("remote", 2, 10)]
    deny = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "deny", "namespace": "default"},
        "spec": {"podSelector": {"matchLabels": {"name": "closed"}}},
    }
    return load_objects([_node(1), _node(2), *pods, deny])


@pytest.fixture(scope="module", params=[False, True], ids=["nodes always", "strict nodes"])
def bridges(dummy_switch: DummySwitch, request: pytest.FixtureRequest) -> Iterator[TracedCluster]:
    traced = TracedCluster(dummy_switch, _cluster(), Options(strict_nodes=request.param), "guard")
    yield traced
    traced.close()


DROPPED = {
    "another pod's IPv4 address": f"tcp,{POD},nw_src=10.20.1.11,nw_dst=10.20.1.11,nw_ttl=64",
    "another pod's IPv6 address": f"tcp6,{POD},ipv6_src=fd00:10:20:1::11,ipv6_dst=fd00:10:20:1::11,nw_ttl=64",
    "another MAC": f"tcp,in_port={DB},dl_src={OTHER_MAC},dl_dst={ROUTER},{V4}",
    "another MAC, IPv6": f"tcp6,in_port={DB},dl_src={OTHER_MAC},dl_dst={ROUTER},{V6}",
    "a link-local source": f"tcp6,{POD},ipv6_src=fe80::1,ipv6_dst=fd00:10:20:1::11,nw_ttl=64",
    "an ARP claim of another's address": f"arp,in_port={DB},dl_src={MAC},arp_op=1,arp_spa=10.20.1.11,arp_sha={MAC}",
    "an ARP claim of another's MAC": f"arp,in_port={DB},dl_src={MAC},arp_op=1,arp_spa=10.20.1.10,arp_sha={OTHER_MAC}",
    "an unasked ARP answer": f"arp,in_port={DB},dl_src={MAC},arp_op=2,arp_spa=10.20.1.10,arp_sha={MAC}",
    "ARP about one's own address": (
        f"arp,in_port={DB},dl_src={MAC},arp_op=1,arp_spa=10.20.1.10,arp_sha={MAC},arp_tpa=10.20.1.10"
    ),
    "a router advertisement": f"icmp6,{POD},icmpv6_type=134,{V6}",
    "a neighbour advertisement": f"icmp6,{POD},icmpv6_type=136,{V6}",
    "a solicitation with another's MAC": (
        f"icmp6,{POD},icmpv6_type=135,{V6},nd_target=fd00:10:20:1::1,nd_sll={OTHER_MAC}"
    ),
    "duplicate address detection": (
        f"icmp6,{GATEWAY},icmpv6_type=135,ipv6_src=::,ipv6_dst=ff02::1,nd_target=fd00:10:20:1::1"
    ),
    "multicast": (
        f"udp,in_port={DB},dl_src={MAC},dl_dst=01:00:5e:00:00:fb,nw_src=10.20.1.10,nw_dst=224.0.0.251,nw_ttl=9"
    ),
    "multicast to the router": f"udp,{POD},nw_src=10.20.1.10,nw_dst=224.0.0.251,nw_ttl=9",
    "broadcast": f"udp,{POD},nw_src=10.20.1.10,nw_dst=255.255.255.255,nw_ttl=9",
    "a VLAN tag": f"tcp,{POD},{V4},vlan_tci=0x1005",
    "a pod address that nobody has": f"tcp,{POD},nw_src=10.20.1.10,nw_dst=10.20.1.99,nw_ttl=64",
    "the last hop": f"tcp,{POD},nw_src=10.20.1.10,nw_dst=10.20.1.11,nw_ttl=1",
    "an unknown tunnel": f"tcp,{TUNNEL.replace('50.2', '50.9')},nw_src={REMOTE},nw_dst=10.20.1.10,nw_ttl=64",
    "a local pod's address by the tunnel": f"tcp,{TUNNEL},nw_src=10.20.1.11,nw_dst=10.20.1.10,nw_ttl=64",
    "this node's address by the tunnel": f"tcp,{TUNNEL},nw_src=192.168.50.1,nw_dst=10.20.1.10,nw_ttl=64",
    "from tunnel to tunnel": f"tcp,{TUNNEL},nw_src={REMOTE},nw_dst=10.20.2.11,nw_ttl=64",
    "ARP by the tunnel": f"arp,{TUNNEL},arp_op=1,arp_spa={REMOTE},arp_tpa=10.20.1.10",
    "a pod's address by the gateway": f"tcp,{GATEWAY},nw_src=10.20.1.11,nw_dst=10.20.1.10,nw_ttl=64",
    "a remote pod's address by the gateway": f"tcp,{GATEWAY},nw_src={REMOTE},nw_dst=10.20.1.10,nw_ttl=64",
    "an unknown port": f"tcp,in_port=7,dl_src={MAC},{V4}",
}

TUNNEL_ENDS = ("192.168.50.1", "192.168.50.2", "10.20.1.1", "10.20.2.1")
for end in TUNNEL_ENDS:
    for port in (6081, 4789):
        packet = f"udp,{POD},nw_src=10.20.1.10,nw_dst={end},nw_ttl=64,udp_src=1,udp_dst={port}"
        DROPPED[f"a pod's own tunnel packet to {end}:{port}"] = packet
        DROPPED[f"its first fragment to {end}:{port}"] = f"{packet},nw_frag=first"

SENT = {
    "pod to pod": (f"tcp,{POD},{V4}", FRONTEND),
    "pod to pod, IPv6": (f"tcp6,{POD},{V6}", FRONTEND),
    "pod to a remote pod": (f"tcp,{POD},nw_src=10.20.1.10,nw_dst={REMOTE},nw_ttl=64", TUNNEL_OFPORT),
    "pod to the world": (f"tcp,{POD},nw_src=10.20.1.10,nw_dst=203.0.113.1,nw_ttl=64", GATEWAY_OFPORT),
    "a tunnel packet to a pod": (
        f"udp,{POD},nw_src=10.20.1.10,nw_dst=10.20.1.11,nw_ttl=64,udp_src=1,udp_dst=6081",
        FRONTEND,
    ),
    "a known tunnel": (f"tcp,{TUNNEL},nw_src={REMOTE},nw_dst=10.20.1.10,nw_ttl=64", DB),
    "the node by the gateway": (f"tcp,{GATEWAY},nw_src=10.20.1.1,nw_dst=10.20.1.10,nw_ttl=64", DB),
    "the world by the gateway": (f"tcp,{GATEWAY},nw_src=203.0.113.1,nw_dst=10.20.1.10,nw_ttl=64", DB),
    "ARP for the gateway": (
        f"arp,in_port={DB},dl_src={MAC},arp_op=1,arp_spa=10.20.1.10,arp_sha={MAC},arp_tpa=10.20.1.1",
        DB,
    ),
    "the node's ARP for a pod": (
        f"arp,in_port={GATEWAY_OFPORT},arp_op=1,arp_spa=10.20.1.1,arp_tpa=10.20.1.10",
        GATEWAY_OFPORT,
    ),
    "a solicitation for the gateway": (
        f"icmp6,{POD},icmpv6_type=135,{V6},nd_target=fd00:10:20:1::1,nd_sll={MAC}",
        DB,
    ),
}


@pytest.mark.parametrize("packet", DROPPED.values(), ids=DROPPED)
def test_dropped(bridges: TracedCluster, packet: str) -> None:
    assert bridges.sent("node-1", packet) is None


@pytest.mark.parametrize(("packet", "port"), SENT.values(), ids=SENT)
def test_sent(bridges: TracedCluster, packet: str, port: int) -> None:
    assert bridges.sent("node-1", packet) == port


TO_CLOSED = f"tcp,{POD},nw_src=10.20.1.10,nw_dst=10.20.1.12,nw_ttl=64"
ADMITTED, ANSWERED = ",ct_label=0x10000000000000000", ",ct_label=0x50000000000000000"
"""The labels in conntrack of a connection that both sides admit, before and after its first answer."""


@pytest.mark.parametrize("state", ["trk,new", "trk,est", "trk,est,rpl", "trk,rpl"])
def test_what_was_not_admitted_is_not_open(bridges: TracedCluster, state: str) -> None:
    assert bridges.sent("node-1", TO_CLOSED, "--ct-next", state) is None


@pytest.mark.parametrize(("state", "port"), [("trk,new", None), ("trk,est", None), ("trk,est,rpl", CLOSED)])
def test_of_what_was_never_answered_only_answers_pass(bridges: TracedCluster, state: str, port: int | None) -> None:
    assert bridges.sent("node-1", TO_CLOSED + ADMITTED, "--ct-next", state) == port


@pytest.mark.parametrize(("state", "port"), [("trk,new", None), ("trk,est", CLOSED), ("trk,est,rpl", CLOSED)])
def test_open_is_what_was_answered(bridges: TracedCluster, state: str, port: int | None) -> None:
    assert bridges.sent("node-1", TO_CLOSED + ANSWERED, "--ct-next", state) == port


@pytest.mark.parametrize("state", ["trk,rel", "trk,rel,rpl"])
def test_errors_pass_about_an_admitted_connection_only(bridges: TracedCluster, state: str) -> None:
    for remembered in (ADMITTED, ANSWERED):
        assert bridges.sent("node-1", TO_CLOSED + remembered, "--ct-next", state) == CLOSED
    assert bridges.sent("node-1", TO_CLOSED, "--ct-next", state) is None


def test_of_invalid_packets_only_those_of_an_answered_tcp_connection_pass(bridges: TracedCluster) -> None:
    assert bridges.sent("node-1", TO_CLOSED + ANSWERED, "--ct-next", "trk,inv") == CLOSED
    assert bridges.sent("node-1", TO_CLOSED + ADMITTED, "--ct-next", "trk,inv") is None
    assert bridges.sent("node-1", TO_CLOSED, "--ct-next", "trk,inv") is None
    for other in ("udp", "sctp", "icmp"):
        invalid = TO_CLOSED.replace("tcp", other) + ANSWERED
        assert bridges.sent("node-1", invalid, "--ct-next", "trk,inv") is None


COMES_BY_TUNNEL, TO_CLUSTER_IP = ",ct_label=0x110000000000000000", ",ct_label=0x30000000000000000"


def test_an_invalid_packet_is_an_answer_where_it_cannot_come_from_the_client(bridges: TracedCluster) -> None:
    assert bridges.sent("node-1", TO_CLOSED + COMES_BY_TUNNEL, "--ct-next", "trk,inv") == CLOSED
    assert bridges.sent("node-1", TO_CLOSED + TO_CLUSTER_IP, "--ct-next", "trk,inv") is None
    from_cluster_ip = TO_CLOSED.replace("nw_src=10.20.1.10", "nw_src=10.96.0.10")
    assert bridges.sent("node-1", from_cluster_ip + TO_CLUSTER_IP, "--ct-next", "trk,inv") is None
    by_tunnel = f"tcp,{TUNNEL},nw_src={REMOTE},nw_dst=10.20.1.12,nw_ttl=64"
    assert bridges.sent("node-1", by_tunnel + TO_CLUSTER_IP, "--ct-next", "trk,inv") == CLOSED
    assert bridges.sent("node-1", by_tunnel + ADMITTED, "--ct-next", "trk,inv") is None
