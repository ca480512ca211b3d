"""Random clusters with Services: what real packets do, against what the oracle says."""

import os
from pathlib import Path
from random import Random

import pytest

from ovsnp.verify import Backend
from tests.ovs.instance import DummySwitch
from tests.ovs.random_scene import RandomScene
from tests.property.clusters import Object, random_cluster, random_services

CLUSTERS = int(os.environ.get("OVSNP_SERVICE_CLUSTERS", "24"))


def wired_objects(random: Random) -> list[Object]:
    """A random cluster of two nodes with pods on both, and Services."""
    while True:
        objects = random_cluster(random, ((4,), (4, 6)))
        nodes = {each["metadata"]["name"] for each in objects if each["kind"] == "Node"}
        if len(nodes) == 2 and nodes == {each["spec"]["nodeName"] for each in objects if each["kind"] == "Pod"}:
            return [*objects, *random_services(random, objects)]


@pytest.mark.parametrize("seed", range(CLUSTERS))
def test_packets_do_what_the_oracle_says(
    dummy_switch: DummySwitch, other_switch: DummySwitch, tmp_path: Path, seed: int
) -> None:
    scene = RandomScene((dummy_switch, other_switch), wired_objects(Random(seed)), tmp_path)
    strict_nodes = seed % 3 == 0
    words = ["--strict-nodes"] * strict_nodes + ["--masquerade"] * (seed % 2)
    try:
        scene.wired.apply("--encap", ("geneve", "vxlan")[seed // 2 % 2], *words)
        for question in scene.questions():
            expected = scene.expected(question, strict_nodes=strict_nodes)
            arrived = scene.ask(question)
            chosen = scene.chosen(question)
            if chosen is None:
                assert (arrived, expected) == ([], {}), question
                continue
            there = scene.place(chosen) if expected[chosen].allowed else None
            found = [(each.at, Backend(chosen.address, each.packet.destination.port)) for each in arrived]
            assert found == ([(there, chosen)] if there else []), question
    finally:
        scene.close()
