"""An agent that is killed at any moment, while packets come all the time."""

import os
import signal
import time
from pathlib import Path
from random import Random

from tests.agent.agent_scene import AgentScene
from tests.agent.prober import Party, Prober

KILLS = int(os.environ.get("OVSNP_KILLS", "8"))
SERVER, FIRST, SECOND = Party("db0", "10.20.1.10"), Party("fe0", "10.20.1.11"), Party("se0", "10.20.1.12")
ALLOWED = {"a": (FIRST, 80), "b": (SECOND, 443)}
KEPT_PORT = 22
SECOND_POD = """
apiVersion: v1
kind: Pod
metadata: {name: second, labels: {role: second}}
spec: {nodeName: node-1, containers: [{name: main}]}
status: {phase: Running, podIPs: [{ip: "10.20.1.12"}]}
"""
POLICIES = """
kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {name: changing}
spec:
  podSelector: {matchLabels: {role: db}}
  ingress: [{from: [{podSelector: {matchLabels: {role: ROLE}}}, BLOCKS], ports: [{port: PORT}]}]
---
kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {name: kept}
spec:
  podSelector: {matchLabels: {role: db}}
  ingress: [{from: [{podSelector: {matchLabels: {role: frontend}}}], ports: [{port: 22}]}]
"""
ROLES = {"a": "frontend", "b": "second"}


def policies(name: str) -> str:
    """The policies of set a or b, with some hundred blocks so that a change takes a while."""
    blocks = ", ".join(f"{{ipBlock: {{cidr: 10.{30 + ord(name)}.{index}.7/32}}}}" for index in range(250))
    text = POLICIES.replace("ROLE", ROLES[name]).replace("PORT", str(ALLOWED[name][1]))
    return text.replace("BLOCKS", blocks)


def prepared(scene: AgentScene) -> Prober:
    """The scene with a second client, and a capture of what the database pod gets."""
    capture = scene.directory / "db0.pcap"
    scene.bridge.vsctl("set", "Interface", "db0", f"options:tx_pcap={capture}")
    scene.bridge.add_pod("default/second", "se0")
    file = scene.directory / "second.yaml"
    file.write_text(SECOND_POD)
    scene.control_plane.load(file)
    return Prober(scene.switch, SERVER, Path(capture), (FIRST, SECOND))


def assert_kept(before: dict[str, tuple[float, int]], after: dict[str, tuple[float, int]]) -> None:
    """The flows that are there before and after have become older, and count on."""
    for flow in before.keys() & after.keys():
        assert after[flow] >= before[flow], flow
        assert after[flow][1] >= before[flow][1], flow


def test_killed_at_random_moments_the_bridge_becomes_right_and_no_packet_passes_that_neither_state_allows(
    scene: AgentScene,
) -> None:
    random, current = Random(12), "a"
    prober = prepared(scene)
    scene.kubectl("apply", "-f", "-", stdin=policies(current))
    began = time.monotonic()
    scene.start()
    scene.settled()
    span = time.monotonic() - began
    prober.open(KEPT_PORT)
    prober.probe((80, 443, 8080))
    with prober:
        for _ in range(KILLS):
            ages, current = scene.bridge.ages(), {"a": "b", "b": "a"}[current]
            scene.kubectl("apply", "-f", "-", stdin=policies(current))
            time.sleep(random.uniform(0.0, span))
            assert scene.stop(signal.SIGKILL) == -signal.SIGKILL
            scene.start()
            if random.random() < 0.5:
                time.sleep(random.uniform(0.0, span))
                assert scene.stop(signal.SIGKILL) == -signal.SIGKILL
                scene.start()
            scene.settled()
            assert_kept(ages, scene.bridge.ages())
            passed = prober.delivered[ALLOWED[current][0].address, ALLOWED[current][1]]
            scene.wait(
                lambda passed=passed, current=current: (
                    bool(prober.failure) or prober.delivered[ALLOWED[current][0].address, ALLOWED[current][1]] > passed
                )
            )
            assert not prober.failure
    expected = {(client.address, port) for client, port in ALLOWED.values()} | {(FIRST.address, KEPT_PORT)}
    assert prober.delivered.keys() == expected
