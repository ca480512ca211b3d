"""The connections that are tried, and the condition for a passed cell."""

import pytest

from ovsnp.analysis.wording.ports import traffic_name
from ovsnp.errors import Place
from ovsnp.lab.matrix import MeasuredCell, cases, concerned, servers
from ovsnp.lab.probes import Result
from ovsnp.model.address import format_address
from ovsnp.model.cluster import Cluster, Pod
from ovsnp.model.policy import NetworkPolicy, Rule
from ovsnp.model.ports import ContainerPort, PortEntry, Protocol
from ovsnp.model.selector import Selector
from tests.unit.lab.builders import HTTP, REDIS, cells, host

A = host("default/a", "10.0.0.2", "fd00::2")
B = host("default/b", "10.0.0.3")
NODE = host("node/n", "192.0.2.1", "10.0.0.1", "fd00::1")
OTHER_NODE = host("node/m", "192.0.2.2")
OUTSIDE = host("away", "203.0.113.1", "2001:db8::1")


def with_ports(*entries: PortEntry) -> Cluster:
    rules = (Rule(ports=entries),)
    policy = NetworkPolicy("default", "p", Selector(), frozenset(), rules, (), Place("x"))
    port = ContainerPort("dns", Protocol.UDP, 5300)
    pod = Pod("default", "a", {}, None, A.addresses, (port,), Place("x"))
    return Cluster({}, {}, (pod,), (policy,))


@pytest.mark.parametrize(
    ("entries", "names"),
    [
        ([], ["80/tcp", "53/udp", "icmp"]),
        ([PortEntry(port=6379)], ["6379/tcp", "80/tcp", "53/udp", "icmp"]),
        ([PortEntry(port=80)], ["80/tcp", "8080/tcp", "53/udp", "icmp"]),
        ([PortEntry(port=20, end_port=22)], ["19/tcp", "20/tcp", "22/tcp", "23/tcp", "80/tcp", "53/udp", "icmp"]),
        ([PortEntry(port=65000, end_port=65535)], ["64999/tcp", "65000/tcp", "65535/tcp", "80/tcp", "53/udp", "icmp"]),
        ([PortEntry(Protocol.UDP, "dns")], ["80/tcp", "5300/udp", "53/udp", "icmp"]),
        ([PortEntry(Protocol.TCP, "dns")], ["80/tcp", "53/udp", "icmp"]),
        ([PortEntry(Protocol.SCTP, 7)], ["80/tcp", "53/udp", "7/sctp", "9899/sctp", "icmp"]),
    ],
)
def test_the_ports_of_the_policies_are_tried_and_one_beside_them(entries: list[PortEntry], names: list[str]) -> None:
    assert list(map(traffic_name, concerned(with_ports(*entries)))) == names


def test_every_pair_with_a_pod_is_tried_in_both_directions_by_all_addresses_of_one_family() -> None:
    tried = [
        (case.source.name, format_address(case.source_address), format_address(case.destination_address))
        for case in cases([A, B, NODE, OTHER_NODE, OUTSIDE], [REDIS])
    ]
    assert len(tried) == len(set(tried))
    assert [(to, by) for name, by, to in tried if name == "default/b"] == [
        ("10.0.0.2", "10.0.0.3"),
        ("192.0.2.1", "10.0.0.3"),
        ("10.0.0.1", "10.0.0.3"),
        ("192.0.2.2", "10.0.0.3"),
        ("203.0.113.1", "10.0.0.3"),
    ]
    assert {(by, to) for name, by, to in tried if name == "node/n"} == {
        ("192.0.2.1", "10.0.0.2"),
        ("192.0.2.1", "10.0.0.3"),
        ("10.0.0.1", "10.0.0.2"),
        ("10.0.0.1", "10.0.0.3"),
        ("fd00::1", "fd00::2"),
    }


def test_servers_listen_on_each_address_so_that_answers_leave_from_it() -> None:
    assert servers([B, OUTSIDE], concerned(with_ports())) == {
        "default-b": [("tcp", "10.0.0.3", 80), ("udp", "10.0.0.3", 53)],
        "away": [
            ("tcp", "203.0.113.1", 80),
            ("udp", "203.0.113.1", 53),
            ("tcp", "2001:db8::1", 80),
            ("udp", "2001:db8::1", 53),
        ],
    }


@pytest.mark.parametrize(
    ("allowed", "result", "passed"),
    [
        (True, Result("connected", "10.0.0.3"), True),
        (True, Result("connected", ""), True),
        (True, Result("connected", "10.0.0.9"), False),
        (True, Result("silence"), False),
        (True, Result("refused"), False),
        (False, Result("silence"), True),
        (False, Result("connected", "10.0.0.3"), False),
        (False, Result("refused"), False),
        (False, Result("unreachable", "No route to host"), False),
        (False, Result("garbled", "?"), False),
    ],
)
def test_only_an_echo_is_a_connection_and_only_silence_is_none(allowed: bool, result: Result, passed: bool) -> None:
    (cell,) = cells(B, A, connected=True, traffic=HTTP)
    assert MeasuredCell(cell.case, allowed, result).passed is passed
