"""Random clusters: compiled flows treat traced packets as the oracle says."""

import os
from random import Random

import pytest

from ovsnp.manifests import load_objects
from ovsnp.model.options import Options
from tests.support.clusters import interesting_traffic, random_cluster
from tests.support.disagreements import disagreements
from tests.support.instance import DummySwitch
from tests.support.traced import TracedCluster

CLUSTERS = int(os.environ.get("OVSNP_CLUSTERS", "40"))
PROBES = 150


@pytest.mark.parametrize("seed", range(CLUSTERS))
def test_flows_do_what_the_oracle_says(dummy_switch: DummySwitch, seed: int) -> None:
    objects = random_cluster(Random(seed))
    cluster, options = load_objects(objects), Options(strict_nodes=seed % 3 == 0)
    traced = TracedCluster(dummy_switch, cluster, options)
    try:
        assert disagreements(traced, cluster, interesting_traffic(objects, PROBES), options) == []
    finally:
        traced.close()
