"""Random clusters: every cell of the matrix agrees with the oracle."""

import ipaddress
import os
from collections.abc import Iterator
from random import Random

import pytest

from ovsnp.analysis.reach.cells import Reach
from ovsnp.analysis.reach.parties import By
from ovsnp.manifests import load_objects
from ovsnp.model.address import Address
from ovsnp.model.policy import Direction
from ovsnp.oracle import OutsideEnd, judge, who
from ovsnp.oracle.planned import Reading, with_planned
from tests.support.clusters import Object, planned, random_cluster
from tests.support.members import disagreements, members

CLUSTERS = int(os.environ.get("OVSNP_CLUSTERS", "60"))


def _reach(seed: int) -> Reach:
    random = Random(seed)
    objects = random_cluster(random)
    cluster = load_objects([*objects, *replicas(random, objects)])
    return Reach(cluster, [*By][seed % 2], strict_nodes=seed % 4 < 2)


def replicas(random: Random, objects: list[Object]) -> Iterator[Object]:
    """Copies of some pods on any node, so that workloads have several pods, which blocks may tell apart."""
    nodes = [each for each in objects if each["kind"] == "Node"]
    pods = [each for each in objects if each["kind"] == "Pod" and "podIPs" in each["status"]]
    for host, pod in enumerate(random.sample(pods, min(len(pods), 3)), 11):
        node = random.choice(nodes)
        addresses = [str(ipaddress.ip_network(cidr)[host]) for cidr in node["spec"]["podCIDRs"]]
        yield {
            **pod,
            "metadata": pod["metadata"] | {"name": f"{pod['metadata']['name']}-replica"},
            "spec": {key: value for key, value in pod["spec"].items() if key != "hostNetwork"}
            | {"nodeName": node["metadata"]["name"]},
            "status": {"phase": "Running", "podIPs": [{"ip": each} for each in addresses]},
        }


@pytest.mark.parametrize("seed", range(CLUSTERS))
def test_every_cell_is_what_the_oracle_says(seed: int) -> None:
    reach = _reach(seed)
    found, asked = disagreements(reach, [each.representative for each in reach.classes.traffic])
    assert not found
    assert asked or not reach.classes.clusters[0].cluster.pods


@pytest.mark.parametrize("seed", range(CLUSTERS))
def test_every_cell_of_pods_without_an_address_is_what_the_oracle_says(seed: int) -> None:
    random = Random(seed)
    objects = random_cluster(random)
    others, pods = ([each for each in objects if (each["kind"] == "Pod") is are] for are in (False, True))
    (cluster,) = with_planned(load_objects([*others, *planned(random, pods)]), reading=[*Reading][seed % 2])
    reach = Reach(cluster, [*By][seed % 2], strict_nodes=seed % 4 < 2)
    assert disagreements(reach, [each.representative for each in reach.classes.traffic])[0] == []


@pytest.mark.parametrize("seed", range(CLUSTERS))
def test_everybody_is_in_the_matrix_once(seed: int) -> None:
    reach = _reach(seed)
    cluster = reach.classes.clusters[0].cluster
    assert sorted(pod.key for party in reach.parties for pod in party.pods) == sorted(pod.key for pod in cluster.pods)
    assert len({party.name for party in reach.parties}) == len(reach.parties)
    there = {address for party in reach.parties for address in members(reach, party)}
    assert reach.classes.clusters[0].held <= there
    versions = {len(address) for pod in cluster.pods for address in pod.addresses}
    outside = {number for party in reach.parties for number in party.outside}
    for end in reach.classes.ends:
        somebody = not end.vacant and not _undelivered(reach, end.representative)
        if end.ranges and somebody and len(end.representative) in versions:
            assert end.number in outside


def _undelivered(reach: Reach, address: Address) -> bool:
    cluster, end = reach.classes.clusters[0].cluster, OutsideEnd(address)
    return judge(cluster, end, end, reach.classes.traffic[-1].representative).undelivered


@pytest.mark.parametrize("seed", range(CLUSTERS))
def test_reached_are_the_cells_that_allow_something_and_rules_are_those_that_admit(seed: int) -> None:
    reach = _reach(seed)
    cluster = reach.classes.clusters[0].cluster
    for source in reach.parties:
        cells = [(each, cell) for each in reach.parties if (cell := reach.cell(source, each)) is not None]
        assert list(reach.reached(source)) == [(each, cell) for each, cell in cells if cell.allows]
        for destination, cell in cells:
            for version in cell.ports:
                ends = source.classes[version], destination.classes[version]
                pair = [who(cluster, reach.classes.ends[each].representative) for each in ends]
                verdicts = [judge(cluster, *pair, each.representative) for each in reach.classes.traffic]
                for direction in Direction:
                    sides = [getattr(verdict, direction.section) for verdict in verdicts]
                    admitting = {str(each) for side in sides for each in side.admitted_by}
                    assert {str(each.admission) for each in reach.relation.admitting(direction, *ends)} == admitting
