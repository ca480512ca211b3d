"""Random clusters with Services: compares real packets with the oracle."""

import os
from pathlib import Path
from random import Random

import pytest

from ovsnp.oracle import ServingBackend
from tests.ovs.random_scene import RandomScene, wired_objects
from tests.support.instance import DummySwitch

CLUSTERS = int(os.environ.get("OVSNP_SERVICE_CLUSTERS", "24"))


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
