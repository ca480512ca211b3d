"""Random clusters: compiled flows treat traced packets as the oracle says."""

import os
from collections.abc import Iterable
from random import Random

import pytest

from ovsnp.manifests import load_objects
from ovsnp.model.address import parse_address
from ovsnp.model.cluster import Cluster
from ovsnp.model.options import Options
from ovsnp.model.ports import Protocol
from ovsnp.oracle import PodEnd, Traffic, judge, who
from tests.support.clusters import Probe, interesting_traffic, random_cluster
from tests.support.instance import DummySwitch
from tests.support.traced import TracedCluster

CLUSTERS = int(os.environ.get("OVSNP_CLUSTERS", "100"))
PROBES = 150


def disagreements(
    traced: TracedCluster, cluster: Cluster, probes: Iterable[Probe], options: Options
) -> list[tuple[Probe, bool]]:
    """The probes for which flows and oracle disagree, each with the answer of the oracle.

    Packets of a pod to itself never reach the bridge, and no policy applies to connections without a pod.
    """
    wrong = []
    for probe in probes:
        source, destination = (who(cluster, parse_address(end)) for end in (probe.source, probe.destination))
        if source == destination or not (isinstance(source, PodEnd) or isinstance(destination, PodEnd)):
            continue
        protocol = Protocol(probe.protocol) if probe.protocol in list(Protocol) else None
        traffic = Traffic(protocol, probe.port if protocol else None)
        expected = judge(cluster, source, destination, traffic, strict_nodes=options.strict_nodes).allowed
        if traced.connects(source, destination, traffic) != expected:
            wrong.append((probe, expected))
    return wrong


@pytest.mark.parametrize("seed", range(CLUSTERS))
def test_flows_do_what_the_oracle_says(dummy_switch: DummySwitch, seed: int) -> None:
    objects = random_cluster(Random(seed))
    cluster, options = load_objects(objects), Options(strict_nodes=seed % 3 == 0)
    traced = TracedCluster(dummy_switch, cluster, options)
    try:
        assert disagreements(traced, cluster, interesting_traffic(objects, PROBES), options) == []
    finally:
        traced.close()
