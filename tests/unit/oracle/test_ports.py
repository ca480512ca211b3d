"""The protocols and ports that a rule admits (docs/semantics.md)."""

import pytest

from ovsnp.model.cluster import Cluster
from ovsnp.model.policy import Direction, Rule
from ovsnp.model.ports import PortEntry, Protocol
from ovsnp.oracle import ICMP, Traffic
from tests.support.model_objects import allowed, cluster, labelled, node, pod, policy, tcp, udp

TCP, UDP, SCTP = Protocol
WEB, DNS, WORLD, NODE = "10.0.0.2", "10.0.0.3", "192.0.2.1", "172.16.0.11"
PARTS = (
    node("node-0", "172.16.0.10", "10.0.0.0/24"),
    node("node-1", NODE, "10.0.1.0/24"),
    # The model has the ports of all containers in one list: a sidecar has `admin`, two containers have `http`.
    pod("default/web", WEB, ports=[("http", TCP, 8080), ("http", TCP, 8081), ("admin", TCP, 9000)], app="web"),
    pod("default/dns", DNS, ports=[("dns", UDP, 53), ("dns", TCP, 5353), ("http", TCP, 80)], app="dns"),
)


def into_web(*entries: PortEntry) -> Cluster:
    return cluster(*PARTS, policy("default/in", labelled(app="web"), ingress=[Rule(ports=entries)]))


def out_of_web(*entries: PortEntry) -> Cluster:
    types = [Direction.EGRESS]
    return cluster(*PARTS, policy("default/out", labelled(app="web"), types=types, egress=[Rule(ports=entries)]))


def admitted(state: Cluster, source: str, destination: str, *traffic: Traffic) -> list[bool]:
    return [allowed(state, source, destination, each, strict_nodes=True) for each in traffic]


def test_no_ports_admit_every_protocol() -> None:
    everything = [tcp(1), udp(65535), Traffic(SCTP, 9899), ICMP]
    assert all(admitted(into_web(), WORLD, WEB, *everything))
    assert all(admitted(out_of_web(), WEB, WORLD, *everything))


def test_any_port_entry_keeps_other_protocols_out() -> None:
    assert admitted(into_web(*map(PortEntry, Protocol)), WORLD, WEB, ICMP) == [False]


def test_an_empty_port_entry_is_all_of_tcp() -> None:
    traffic = [tcp(0), tcp(1), tcp(65535), udp(1), Traffic(SCTP, 1), ICMP]
    assert admitted(into_web(PortEntry()), WORLD, WEB, *traffic) == [True, True, True, False, False, False]


@pytest.mark.parametrize("protocol", Protocol)
def test_a_port_is_of_its_protocol(protocol: Protocol) -> None:
    state = into_web(PortEntry(protocol, 5000))
    for other in Protocol:
        same = other is protocol
        assert admitted(state, WORLD, WEB, *(Traffic(other, port) for port in (4999, 5000, 5001))) == [
            False,
            same,
            False,
        ]


def test_end_port_is_inclusive() -> None:
    traffic = [tcp(port) for port in (31999, 32000, 32400, 32768, 32769)]
    state = into_web(PortEntry(TCP, 32000, 32768))
    assert admitted(state, WORLD, WEB, *traffic) == [False, True, True, True, False]


def test_a_range_may_be_one_port() -> None:
    assert admitted(into_web(PortEntry(TCP, 80, 80)), WORLD, WEB, tcp(79), tcp(80), tcp(81)) == [False, True, False]


def test_port_entries_are_or() -> None:
    state = into_web(PortEntry(TCP, 80), PortEntry(UDP, 53))
    assert admitted(state, WORLD, WEB, tcp(80), udp(53), tcp(53), udp(80)) == [True, True, False, False]


def test_peers_and_ports_are_and_within_one_rule_only() -> None:
    first, second = Rule(ports=(PortEntry(TCP, 80),)), Rule(ports=(PortEntry(TCP, 81),))
    state = cluster(*PARTS, policy("default/in", labelled(app="web"), ingress=[first, second]))
    assert admitted(state, WORLD, WEB, tcp(80), tcp(81), tcp(82)) == [True, True, False]


def test_a_name_is_looked_up_in_all_containers_of_the_subject_for_ingress() -> None:
    traffic = [tcp(8080), tcp(8081), tcp(9000), tcp(80), udp(8080)]
    assert admitted(into_web(PortEntry(TCP, "http")), WORLD, WEB, *traffic) == [True, True, False, False, False]
    assert admitted(into_web(PortEntry(TCP, "admin")), WORLD, WEB, tcp(9000), tcp(8080)) == [True, False]


def test_a_name_is_looked_up_at_the_peer_for_egress() -> None:
    assert admitted(out_of_web(PortEntry(TCP, "http")), WEB, DNS, tcp(80), tcp(8080)) == [True, False]


def test_a_name_is_of_the_entrys_protocol() -> None:
    assert admitted(out_of_web(PortEntry(UDP, "dns")), WEB, DNS, udp(53), tcp(5353), udp(5353)) == [True, False, False]
    assert admitted(out_of_web(PortEntry(TCP, "dns")), WEB, DNS, udp(53), tcp(5353), tcp(53)) == [False, True, False]
    assert admitted(out_of_web(PortEntry(SCTP, "dns")), WEB, DNS, udp(53), Traffic(SCTP, 53)) == [False, False]


def test_a_name_that_the_pod_does_not_have_matches_nothing() -> None:
    assert admitted(into_web(PortEntry(TCP, "metrics")), WORLD, WEB, tcp(8080), tcp(80)) == [False, False]


def test_nodes_and_outsiders_have_no_port_names() -> None:
    state = out_of_web(PortEntry(TCP, "http"), PortEntry(UDP, 53))
    for destination in (NODE, WORLD):
        assert admitted(state, WEB, destination, tcp(80), tcp(8080), udp(53)) == [False, False, True]


def test_traffic_has_a_port_where_its_protocol_has_ports() -> None:
    for protocol, port in ((TCP, None), (None, 80)):
        with pytest.raises(ValueError, match="port"):
            Traffic(protocol, port)
