"""Pods without an address yet: the certain and the possible verdicts hold for all addresses that the pods may get."""

import os
from collections.abc import Iterator
from random import Random

import pytest

from ovsnp.manifests import load_objects
from ovsnp.model.address import FAMILIES, family
from ovsnp.model.cluster import Cluster, Pod
from ovsnp.model.ports import Protocol
from ovsnp.oracle import PodEnd, Traffic, judge
from ovsnp.oracle.indexed_oracle import IndexedOracle
from ovsnp.oracle.planned import Readings, readings
from tests.support.clusters import Object, interesting_traffic, planned, random_cluster

CLUSTERS = int(os.environ.get("OVSNP_CLUSTERS", "100"))
PROBES = 60


def _before_and_after(seed: int) -> tuple[Readings, Cluster, list[Object]]:
    """A cluster in which some pods do not run yet, and the same cluster when they run; every third has no Nodes."""
    random = Random(seed)
    objects = random_cluster(random)
    pods = [each for each in objects if each["kind"] == "Pod"]
    others = [each for each in objects if each["kind"] != "Pod" and (seed % 3 or each["kind"] != "Node")]
    return readings(load_objects([*others, *planned(random, pods)])), load_objects([*others, *pods]), objects


def _outcomes(seed: int) -> Iterator[tuple[bool, bool, bool]]:
    """For each connection: whether it is certain, is allowed when all pods run, and is possible."""
    (before, possible), after, objects = _before_and_after(seed)
    oracles = [IndexedOracle(each) for each in (before, after, possible)]
    traffics = {(probe.protocol, probe.port) for probe in interesting_traffic(objects, PROBES)}
    for near in before.pods:
        for far in before.pods:
            if near.key == far.key:
                continue
            for version in FAMILIES:
                ends = [(_end(each, near, version), _end(each, far, version)) for each in (before, after, possible)]
                if any(None in pair for pair in ends):
                    continue
                for protocol, port in traffics:
                    known = Protocol(protocol) if protocol in list(Protocol) else None
                    traffic = Traffic(known, port if known else None)
                    certain, actual, may = (
                        judge(oracle, *pair, traffic).allowed for oracle, pair in zip(oracles, ends, strict=True)
                    )
                    yield certain, actual, may


def _end(cluster: Cluster, pod: Pod, version: int) -> PodEnd | None:
    found = next((each for each in cluster.pods if each.key == pod.key), None)
    addresses = [address for address in found.addresses if family(address) == version] if found else []
    return PodEnd(found, addresses[0]) if found and addresses else None


@pytest.mark.parametrize("seed", range(CLUSTERS))
def test_what_is_certain_comes_about_and_what_comes_about_is_possible(seed: int) -> None:
    for certain, actual, possible in _outcomes(seed):
        assert certain <= actual <= possible


def test_the_two_readings_are_asked_about_blocks_that_decide() -> None:
    found = {outcome for seed in range(min(CLUSTERS, 20)) for outcome in _outcomes(seed)}
    assert found >= {(False, False, True), (False, True, True), (True, True, True), (False, False, False)}
