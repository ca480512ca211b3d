"""Random clusters: the allowed ports agree with the oracle port by port."""

import os
from random import Random

import pytest

from ovsnp.analysis.explain.openings.openings import Opening, OpenSide, openings
from ovsnp.analysis.wording.traffics import Ports
from ovsnp.manifests import load_objects
from ovsnp.model.address import family, parse_address
from ovsnp.model.cluster import Cluster
from ovsnp.model.ports import Protocol
from ovsnp.oracle import Endpoint, Traffic, judge, who
from ovsnp.oracle.judge import Side
from tests.support.clusters import NUMBERS, OUTSIDE, RANGES, random_cluster

CLUSTERS = int(os.environ.get("OVSNP_CLUSTERS", "40"))
EDGES = sorted({min(max(number + more, 1), 65535) for run in RANGES for number in run for more in (-1, 0, 1)})
TRAFFIC = [Traffic(protocol, port) for protocol in Protocol for port in sorted({*EDGES, *NUMBERS})]


def ends(cluster: Cluster) -> list[Endpoint]:
    held = [address for pod in cluster.pods for address in pod.addresses]
    nodes = [address for node in cluster.nodes.values() for address in (*node.addresses, *node.gateways)]
    return [who(cluster, address) for address in (*held, *nodes, *map(parse_address, (*OUTSIDE, "224.0.0.5")))]


def holds(ports: Ports, traffic: Traffic) -> bool:
    assert traffic.protocol is not None
    return any(run.first <= (traffic.port or 0) <= run.last for run in ports.get(traffic.protocol, ()))


def agrees(opening: Opening, side: OpenSide, said: Side, traffic: Traffic) -> None:
    assert side.isolated_by == said.isolated_by
    assert opening.exempt is said.exempt or side.pod is None
    assert holds(side.ranges.allowed, traffic) is said.allowed
    admitting = [rule.admitting.admission for rule in side.rules if holds(rule.ports, traffic)]
    assert admitting == list(said.admitted_by)


@pytest.mark.parametrize("seed", range(CLUSTERS))
def test_every_port_is_as_the_oracle_has_it(seed: int) -> None:
    random = Random(seed)
    cluster = load_objects(random_cluster(random))
    strict_nodes = seed % 2 == 0
    there = ends(cluster)
    pairs = [(near, far) for near in there for far in there if family(near.address) == family(far.address)]
    for source, destination in random.sample(pairs, min(len(pairs), 12)):
        (opening,) = openings(cluster, [(source, destination)], strict_nodes=strict_nodes)
        for traffic in TRAFFIC:
            verdict = judge(cluster, source, destination, traffic, strict_nodes=strict_nodes)
            assert holds(opening.ranges.allowed, traffic) is verdict.allowed
            assert holds(opening.ranges.denied, traffic) is not verdict.allowed
            agrees(opening, opening.egress, verdict.egress, traffic)
            agrees(opening, opening.ingress, verdict.ingress, traffic)
        assert opening.undelivered is verdict.undelivered
