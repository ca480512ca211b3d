"""The ends of a lab's connections."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from ovsnp.errors import Place, UsageError
from ovsnp.lab.hosts import HostKind, check, hosts
from ovsnp.lab.topology import Topology, TopologyNode
from ovsnp.model.address import format_address, parse_address, parse_prefix
from ovsnp.model.cluster import Cluster, Node, Pod

NODE = Node("n", (parse_prefix("10.0.0.0/24"),), (parse_address("192.0.2.1"),), parse_address("192.0.2.1"))
POD = Pod("default", "a", {}, "n", (parse_address("10.0.0.2"),), (), Place("x"))
CLUSTER = Cluster({}, {"n": NODE}, (POD,), ())


def container(name: str, **labels: str) -> TopologyNode:
    return TopologyNode(name, {f"ovsnp.{key}": value for key, value in labels.items()}, {}, ())


def topology(*containers: TopologyNode) -> Topology:
    return Topology(Path("x.clab.yml"), "x", containers, ())


class Outside:
    """A runtime that knows one address."""

    def run(self, node: str, command: Sequence[str]) -> str:
        return '[{"ifname": "eth1", "addr_info": [{"local": "203.0.113.1", "prefixlen": 24}]}, {}]'


def test_pods_nodes_and_outside_hosts_are_found_with_all_their_addresses() -> None:
    made = topology(
        container("c4", outside="away"),
        container("c1", node="n"),
        container("c2", pod="default/a"),
        container("c3", pod="default/completed"),
        container("switch"),
    )
    found = hosts(made, CLUSTER, Outside())  # type: ignore[arg-type]
    assert [(host.kind, host.name, host.container, [*map(format_address, host.addresses)]) for host in found] == [
        (HostKind.POD, "default/a", "c2", ["10.0.0.2"]),
        (HostKind.NODE, "node/n", "c1", ["192.0.2.1", "10.0.0.1"]),
        (HostKind.OUTSIDE, "away", "c4", ["203.0.113.1"]),
    ]
    assert [host.group for host in found] == ["default", "node", "outside"]


@pytest.mark.parametrize(
    ("containers", "message"),
    [
        ([], "node n: the topology has none"),
        ([container("c1", node="n"), container("c2", node="m")], "node m: the cluster's manifests have no such Node"),
    ],
)
def test_topology_and_manifests_must_have_the_same_nodes(containers: list[TopologyNode], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        check(topology(*containers), CLUSTER)
