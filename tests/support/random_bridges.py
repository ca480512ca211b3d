"""Random clusters, each with the ports and options of one of its bridges."""

from random import Random

from ovsnp.manifests import load_objects
from ovsnp.model.bridge import BridgePorts
from ovsnp.model.cluster import Cluster
from ovsnp.model.options import Encap, Options
from ovsnp.resolve import local_pods
from tests.support.clusters import random_cluster, random_services
from tests.support.traced import offline_ports


def random_bridges(seed: int) -> list[tuple[Cluster, BridgePorts, Options]]:
    """The input of the compiler for each node of a random cluster with Services."""
    random = Random(seed)
    objects = random_cluster(random)
    services = random_services(random, objects)
    for service in (each for each in services if each["kind"] == "Service" and random.random() < 0.3):
        service["spec"]["sessionAffinity"] = "ClientIP"
    cluster = load_objects([*objects, *services])
    return [
        (
            cluster,
            offline_ports(local_pods(cluster, node)),
            Options(
                node=node,
                encap=random.choice(list(Encap)),
                strict_nodes=random.random() < 0.3,
                masquerade=random.random() < 0.5,
                service_blocks=random.random() < 0.3,
            ),
        )
        for node in cluster.nodes
    ]
