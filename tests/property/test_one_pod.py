"""Random clusters: the peers that reach a pod, and that it reaches, agree with the oracle port by port."""

import os
from random import Random

import pytest

from ovsnp.analysis.explain.one_pod.one_pod import PodSide, ReachedParty, one_pod
from ovsnp.manifests import load_objects
from ovsnp.model.address import family
from ovsnp.model.cluster import Cluster, Pod
from ovsnp.model.policy import Direction
from ovsnp.oracle import PodEnd, Traffic, judge
from tests.property.test_openings import TRAFFIC, holds
from tests.support.clusters import random_cluster

CLUSTERS = int(os.environ.get("OVSNP_CLUSTERS", "40"))


@pytest.mark.parametrize("seed", range(CLUSTERS))
def test_ports_between_two_pods_are_as_the_oracle_has_them(seed: int) -> None:
    random = Random(seed)
    cluster = load_objects(random_cluster(random))
    for pod in cluster.pods[:2]:
        answer = one_pod(cluster, pod, strict_nodes=seed % 2 == 0)
        for party in answer.parties:
            for other in party.pods[:1]:
                for version in {*map(family, pod.addresses)} & {*map(family, other.addresses)}:
                    for traffic in random.sample(TRAFFIC, 25):
                        for direction, side in ((Direction.EGRESS, answer.egress), (Direction.INGRESS, answer.ingress)):
                            pair = (pod, other) if direction is Direction.EGRESS else (other, pod)
                            assert said(side, party.name, version, traffic) is judged(cluster, pair, version, traffic)
        known = {each.party.name for side in (answer.egress, answer.ingress) for each in side.met}
        assert known <= {party.name for party in answer.parties}


def said(side: PodSide, name: str, version: int, traffic: Traffic) -> bool:
    return any(_allows(met, version, traffic) for met in side.met if met.party.name == name)


def _allows(met: ReachedParty, version: int, traffic: Traffic) -> bool:
    return holds(met.ports.get(version, {}), traffic)


def judged(cluster: Cluster, pair: tuple[Pod, Pod], version: int, traffic: Traffic) -> bool:
    source, destination = (PodEnd(pod, next(each for each in pod.addresses if family(each) == version)) for pod in pair)
    return judge(cluster, source, destination, traffic).allowed
