"""Random clusters with Services: compares real packets with the oracle."""

import os
from pathlib import Path
from random import Random

import pytest

from ovsnp.oracle import ServingBackend
from tests.ovs.random_scene import RandomScene
from tests.support.clusters import Object, random_cluster, random_services
from tests.support.instance import DummySwitch

CLUSTERS = int(os.environ.get("OVSNP_SERVICE_CLUSTERS", "24"))


def wired_objects(random: Random) -> list[Object]:
    """A random cluster of two nodes with pods on both, and Services."""
    while True:
        objects = random_cluster(random, ((4,), (4, 6)))
        nodes = {each["metadata"]["name"] for each in objects if each["kind"] == "Node"}
        if len(nodes) == 2 and nodes == {each["spec"]["nodeName"] for each in objects if each["kind"] == "Pod"}:
            return [*objects, *random_services(random, objects), *map(_to_cluster_ips, _namespaces(objects))]


def _namespaces(objects: list[Object]) -> list[str]:
    return sorted({each["metadata"].get("namespace", "default") for each in objects if each["kind"] == "Pod"})


def _to_cluster_ips(namespace: str) -> Object:
    """A policy that lets pods connect to some cluster IPs at some ports, if blocks may hold cluster IPs."""
    blocks = [{"ipBlock": {"cidr": "10.96.0.0/30", "except": ["10.96.0.2/32"]}}, {"ipBlock": {"cidr": "fd00:96::/127"}}]
    ports = [{"port": 1, "endPort": 1023}, {"protocol": "UDP"}]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"namespace": namespace, "name": "to-cluster-ips"},
        "spec": {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": blocks, "ports": ports}]},
    }


@pytest.mark.parametrize("seed", range(CLUSTERS))
def test_packets_do_what_the_oracle_says(
    dummy_switch: DummySwitch, other_switch: DummySwitch, tmp_path: Path, seed: int
) -> None:
    scene = RandomScene((dummy_switch, other_switch), wired_objects(Random(seed)), tmp_path)
    strict_nodes, service_blocks = seed % 3 == 0, seed % 5 < 2
    words = ["--strict-nodes"] * strict_nodes + ["--service-blocks"] * service_blocks + ["--masquerade"] * (seed % 2)
    try:
        scene.wired.apply("--encap", ("geneve", "vxlan")[seed // 2 % 2], *words)
        for question in scene.questions():
            expected = scene.expected(question, strict_nodes=strict_nodes, service_blocks=service_blocks)
            arrived = scene.ask(question)
            chosen = scene.chosen(question)
            if chosen is None:
                assert (arrived, expected) == ([], {}), question
                continue
            there = scene.place(chosen) if expected[chosen].allowed else None
            found = [(each.at, ServingBackend(chosen.address, each.packet.destination.port)) for each in arrived]
            assert found == ([(there, chosen)] if there else []), question
    finally:
        scene.close()
