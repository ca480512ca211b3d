"""Random clusters: every heading of the matrix resolves to its row, and every suggested name resolves."""

import os
from collections.abc import Iterator
from random import Random

import pytest

from ovsnp.analysis.naming.nodes_and_services import service_names
from ovsnp.analysis.naming.roster import Roster
from ovsnp.analysis.reach.cells import Reach
from ovsnp.analysis.reach.parties import By, Party, PartyKind
from ovsnp.manifests import load_objects
from ovsnp.oracle import NodeEnd, OutsideEnd, PodEnd
from tests.property.test_matrix import replicas
from tests.support.clusters import Object, random_cluster

CLUSTERS = int(os.environ.get("OVSNP_CLUSTERS", "60"))
OWNERS = ("StatefulSet", "Job")
NAMES = ("pod-0", "pod-1", "nodes", "a", "cart", "db.v2")


def owned(random: Random, objects: list[Object]) -> Iterator[Object]:
    """The objects, in which most pods get a workload; workloads may share names with pods and with each other."""
    for each in objects:
        if each["kind"] == "Pod" and random.random() < 0.7:
            owner = {"kind": random.choice(OWNERS), "name": random.choice(NAMES), "controller": True}
            yield {**each, "metadata": each["metadata"] | {"ownerReferences": [owner]}}
        else:
            yield each


def members(party: Party) -> set[str]:
    return {pod.key for pod in party.pods} if party.kind is PartyKind.POD else set(party.nodes)


@pytest.mark.parametrize("by", By)
@pytest.mark.parametrize("seed", range(CLUSTERS))
def test_heading_names_its_row(seed: int, by: By) -> None:
    random = Random(seed)
    objects = random_cluster(random)
    cluster = load_objects([*owned(random, [*objects, *replicas(random, objects)])])
    strict_nodes = seed % 2 == 0
    reach, roster = Reach(cluster, by, strict_nodes=strict_nodes), Roster(cluster, strict_nodes=strict_nodes)
    for party in reach.parties:
        for ends in (roster.source(party.name).ends, roster.destination(party.name).ends):
            named = set()
            for end in ends:
                match end:
                    case PodEnd(pod=pod):
                        named.add(pod.key)
                    case NodeEnd(node=node, address=address):
                        named.add(node.name)
                        assert not strict_nodes or reach.classes.of(address).number in party.classes.values()
                    case OutsideEnd(address=address):
                        assert reach.classes.of(address).number in party.outside
            assert named == members(party)


@pytest.mark.parametrize("seed", range(CLUSTERS))
def test_every_name_that_is_offered_names_somebody(seed: int) -> None:
    random = Random(seed)
    objects = random_cluster(random)
    cluster = load_objects([*owned(random, [*objects, *replicas(random, objects)])])
    strict_nodes = seed % 2 == 0
    roster = Roster(cluster, strict_nodes=strict_nodes)
    offered = [*roster.sources()]
    assert all(roster.source(name).ends for name in offered)
    assert len({*offered}) == len(offered)
    assert all(roster.destination(name).ends for name in service_names(cluster))
    headings = {party.name for by in By for party in Reach(cluster, by, strict_nodes=strict_nodes).parties}
    workloads = {pod.workload.key for pod in cluster.pods if pod.workload}
    assert headings | workloads <= {*offered}
    assert {pod.key for pod in cluster.pods} <= {name.removeprefix("pod/") for name in offered}
