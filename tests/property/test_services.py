"""Random Services: the compiled backends of a connection agree with the oracle."""

import os
from random import Random

import pytest

from ovsnp.manifests import load_objects
from ovsnp.model.address import family
from ovsnp.model.cluster import Cluster
from ovsnp.oracle import ServingBackend, Traffic, backends, service_at
from tests.support.clusters import random_cluster, random_services
from tests.support.resolved import frontends

CLUSTERS = int(os.environ.get("OVSNP_CLUSTERS", "40"))


def compiled(cluster: Cluster, node: str) -> dict[tuple[object, ...], frozenset[ServingBackend]]:
    return {
        (each.service, each.address, each.protocol, each.port): frozenset(
            ServingBackend(*found) for found in each.backends
        )
        for each in frontends(cluster, node)
    }


@pytest.mark.parametrize("seed", range(CLUSTERS))
def test_backends_are_those_of_the_oracle(seed: int) -> None:
    random = Random(seed)
    objects = random_cluster(random)
    cluster = load_objects([*objects, *random_services(random, objects)])
    assert cluster.services
    for node in cluster.nodes:
        expected = {}
        for service in cluster.services:
            for address in service.cluster_ips:
                for port in service.ports:
                    assert service_at(cluster, address, Traffic(port.protocol, port.number)) == (service, port)
                    found = backends(cluster, service, port, family(address), node)
                    expected[service.key, address, port.protocol, port.number] = found
        assert compiled(cluster, node) == expected


def test_random_services_are_of_every_kind() -> None:
    seen: set[str] = set()
    for seed in range(200):
        random = Random(seed)
        objects = random_cluster(random)
        cluster = load_objects([*objects, *random_services(random, objects)])
        for node in cluster.nodes:
            for each in frontends(cluster, node):
                seen.add(f"IPv{family(each.address)}")
                seen.add("none" if not each.backends else "one" if len(each.backends) == 1 else "several")
        seen |= {"local" for service in cluster.services if service.local}
        seen |= {"slices" for _ in cluster.slices}
        seen |= {"selector" for service in cluster.services if service.selector is not None}
    assert seen == {"IPv4", "IPv6", "none", "one", "several", "local", "slices", "selector"}
