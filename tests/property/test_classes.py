"""Random clusters: classes and the indexed oracle agree with the oracle itself."""

import os
from collections.abc import Iterator
from random import Random

import pytest

from ovsnp.manifests import load_objects
from ovsnp.model.address import Address, parse_address
from ovsnp.model.cluster import Cluster
from ovsnp.model.ports import Protocol
from ovsnp.oracle import PodEnd, Traffic, Verdict, judge, judge_service, who
from ovsnp.oracle.classes import Classes
from ovsnp.oracle.indexed_oracle import IndexedOracle
from ovsnp.oracle.judge import exemption
from tests.support.clusters import Object, interesting_traffic, random_cluster, random_services

CLUSTERS = int(os.environ.get("OVSNP_CLUSTERS", "100"))
PROBES = 300

Asked = tuple[Address, Address, Traffic]


def _objects(seed: int) -> list[Object]:
    random = Random(seed)
    objects = random_cluster(random)
    return [*objects, *random_services(random, objects)]


def _asked(objects: list[Object]) -> Iterator[Asked]:
    for probe in interesting_traffic(objects, PROBES):
        protocol = Protocol(probe.protocol) if probe.protocol in list(Protocol) else None
        traffic = Traffic(protocol, probe.port if protocol else None)
        yield parse_address(probe.source), parse_address(probe.destination), traffic


def _verdict(cluster: Cluster, asked: Asked, strict: bool) -> Verdict:
    source, destination, traffic = asked
    return judge(cluster, who(cluster, source), who(cluster, destination), traffic, strict_nodes=strict)


@pytest.mark.parametrize("seed", range(CLUSTERS))
def test_the_prepared_oracle_is_the_oracle(seed: int) -> None:
    objects = _objects(seed)
    cluster, strict = load_objects(objects), seed % 2 == 0
    oracle = IndexedOracle(cluster)
    for source, destination, traffic in _asked(objects):
        ends = oracle.who(source), oracle.who(destination)
        assert ends == (who(cluster, source), who(cluster, destination))
        assert judge(oracle, *ends, traffic, strict_nodes=strict) == judge(cluster, *ends, traffic, strict_nodes=strict)
    for service in cluster.services:
        for address in service.cluster_ips:
            for port in service.ports:
                for pod in cluster.pods:
                    for held in (each for each in pod.addresses if len(each) == len(address)):
                        question = (PodEnd(pod, held), address, Traffic(port.protocol, port.number))
                        terms = {"strict_nodes": strict, "service_blocks": seed % 3 == 0}
                        assert judge_service(oracle, *question, **terms) == judge_service(cluster, *question, **terms)


@pytest.mark.parametrize("seed", range(CLUSTERS))
def test_members_of_a_class_are_judged_alike(seed: int) -> None:
    """In a cluster before and after a change; the admitting rules are equal, too."""
    objects = [_objects(seed), _objects(seed + 1000)]
    clusters, strict = [load_objects(each) for each in objects], seed % 2 == 0
    classes = Classes(*clusters)
    verdicts: dict[object, object] = {}
    for source, destination, traffic in [asked for each in objects for asked in _asked(each)]:
        for cluster in clusters:
            ends = who(cluster, source), who(cluster, destination)
            exempt = exemption(*ends, strict_nodes=strict)
            key = (
                cluster is clusters[0],
                classes.of(source),
                classes.of(destination),
                classes.of_traffic(traffic),
                exempt,
            )
            said = _verdict(cluster, (source, destination, traffic), strict)
            assert verdicts.setdefault(key, said) == said


@pytest.mark.parametrize("seed", range(CLUSTERS))
def test_representatives_and_witnesses_are_members(seed: int) -> None:
    clusters = [load_objects(_objects(seed)), load_objects(_objects(seed + 1000))]
    classes = Classes(*clusters)
    held = {end for cluster in clusters for pod in cluster.pods for end in pod.addresses}
    assert held <= {address for each in classes.ends for address in each.held}
    for each in classes.ends:
        assert [classes.of(address) for address in (each.representative, *each.held)] == [each] * (1 + len(each.held))
    for each in classes.traffic:
        assert classes.of_traffic(each.representative) == each
    for near in classes.ends:
        for far in classes.ends:
            for pair in classes.witnesses(near, far):
                assert (classes.of(pair[0]), classes.of(pair[1])) == (near, far)


def test_witnesses_show_every_exemption() -> None:
    cluster = load_objects(_objects(1))
    classes = Classes(cluster)
    found = {}
    for near in classes.ends:
        for far in classes.ends:
            for pair in classes.witnesses(near, far):
                ends = who(cluster, pair[0]), who(cluster, pair[1])
                found[near.number, far.number, exemption(*ends, strict_nodes=True)] = pair
    for source in (address for each in classes.ends for address in each.held):
        for destination in (address for each in classes.ends for address in each.held):
            if len(source) == len(destination):
                exempt = exemption(who(cluster, source), who(cluster, destination), strict_nodes=True)
                if source != destination or exempt:
                    assert (classes.of(source).number, classes.of(destination).number, exempt) in found


@pytest.mark.parametrize("seed", range(CLUSTERS))
def test_classes_beside_a_known_cluster_are_those_of_both(seed: int) -> None:
    objects = _objects(seed)
    old = load_objects(objects)
    changed = [each for each in objects if each["kind"] != "NetworkPolicy"]
    policies = [each for each in random_cluster(Random(seed + 1000)) if each["kind"] == "NetworkPolicy"]
    new = load_objects([*changed, *policies])
    kept = old.policies[:: 1 + seed % 3]
    prepared = IndexedOracle(old)
    edited = prepared.with_policies([*kept, *new.policies])
    found, expected = Classes(prepared).beside(edited), Classes(old, edited.cluster)
    assert (found.ends, found.traffic) == (expected.ends, expected.traffic)
    assert [found.of(end.representative) for end in found.ends] == list(found.ends)
