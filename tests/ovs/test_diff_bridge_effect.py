"""`ovsnp diff --effect` on a real bridge: the connections that its node's pods gain and lose by `apply`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from ovsnp.analysis.diff.bridge import compare_bridge
from ovsnp.analysis.diff.effect.lines import Who
from ovsnp.analysis.verification.expectation.next_hops import UNROUTABLE
from ovsnp.analysis.verification.simulator.reading import read_bridge
from ovsnp.apply import apply, preview
from ovsnp.manifests import load_objects
from ovsnp.model.address import host_prefix
from ovsnp.model.cluster import Cluster
from ovsnp.model.options import Options
from ovsnp.oracle import Endpoint, NodeEnd, PodEnd, Traffic, judge, who
from ovsnp.pipeline.ports import TUNNEL_UDP_PORTS
from tests.support.applying import Answer, ApplyScene, policy
from tests.support.checkout import ROOT
from tests.support.clusters import Object
from tests.support.effect_lines import Reader, change, probes
from tests.support.instance import DummySwitch

SCHEMA = json.loads((ROOT / "docs" / "diff-effect.schema.json").read_text())
TO_DB = "default/role=frontend -> default/role=db"
DENIED = """
kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {name: deny}
spec: {podSelector: {matchLabels: {role: db}}, policyTypes: [Ingress]}
"""
WEB = """
apiVersion: v1
kind: Pod
metadata: {{name: {name}, labels: {{role: web}}}}
spec: {{nodeName: {node}, containers: [{{name: main}}]}}
status: {{phase: Running, podIPs: [{{ip: {address}}}]}}
"""


@pytest.fixture
def bare(dummy_switch: DummySwitch, tmp_path: Path) -> Iterator[ApplyScene]:
    """A new bridge without ports of pods; the manifests have no policy."""
    scene = ApplyScene(dummy_switch, "br-effect", tmp_path)
    yield scene
    scene.close()


@pytest.fixture
def scene(bare: ApplyScene) -> ApplyScene:
    """A bridge with one applied policy: frontends to port 80."""
    bare.add_pod("default/db", "db0")
    bare.add_pod("default/frontend", "fe0")
    bare.write("policy", policy("to-db", 80))
    bare.apply()
    return bare


def effect(scene: ApplyScene, *more: object) -> tuple[Answer, dict[str, Any]]:
    """The output as text and as JSON; the command must change nothing on the bridge."""
    before = scene.state()
    answer, told = scene.run("diff", "--effect", *more), scene.run("diff", "--effect", "-o", "json", *more)
    assert scene.state() == before
    found = json.loads(told.out)
    Draft202012Validator(SCHEMA).validate(found)
    assert (answer.code, found["differences"]) == (told.code, answer.code == 1)
    return answer, found


def test_nothing_is_said_of_what_was_applied(scene: ApplyScene) -> None:
    answer, _ = effect(scene)
    assert answer == Answer(0, "", "")


def test_another_port_is_gained_and_the_first_one_lost(scene: ApplyScene) -> None:
    scene.write("policy", policy("to-db", 81))
    answer, _ = effect(scene)
    assert answer.out.splitlines() == [
        f"+ {TO_DB}  81/tcp   (default/to-db ingress[0])",
        f"- {TO_DB}  80/tcp   (isolated for ingress by default/to-db)",
    ]
    scene.apply()
    assert effect(scene)[0].out == ""


def test_isolation_that_comes_and_goes(scene: ApplyScene) -> None:
    scene.remove("policy")
    answer, _ = effect(scene)
    assert answer.out.splitlines() == [
        "+ all pods -> default/role=db  all but 80/tcp",
        "+ outside -> default/role=db  all traffic",
    ]
    scene.apply()
    scene.write("policy", DENIED)
    answer, _ = effect(scene)
    assert answer.out.splitlines() == [
        "- everyone -> default/role=db  all traffic   (isolated for ingress by default/deny)"
    ]


def objects_of(seed: int) -> tuple[list[Object], list[Object]]:
    """The objects of a small cluster before and after: policies are added and deleted, pods stay."""
    before, after = change(seed)
    kinds = ("Namespace", "Node", "Pod")
    policies = [each for each in after if each["kind"] == "NetworkPolicy"]
    common = [each for each in before if each["kind"] in kinds]
    return [*common, *(each for each in before if each["kind"] == "NetworkPolicy")], [*common, *policies]


class NodeReader(Reader):
    """Reads lines back; names may mean only the pods of a node."""

    def is_told(self, end: Endpoint) -> bool:
        """True if an endpoint can exist there."""
        nobodys = any(block.contains(host_prefix(end.address)) for block in UNROUTABLE)
        return self.compared(end, end) and not nobodys

    def is_one(self, meant: Who, end: Endpoint) -> bool:
        if meant.on and isinstance(end, PodEnd) and end.pod.node != meant.on:
            return False
        return super().is_one(meant, end)


def here(cluster: Cluster, end: Endpoint, node: str | None) -> bool:
    return isinstance(end, PodEnd) and (not cluster.nodes or end.pod.node == node)


def half(cluster: Cluster, ends: tuple[Endpoint, Endpoint], traffic: Traffic, node: str, *, strict: bool) -> bool:
    """The verdict of the policies for the pods of a node only."""
    verdict = judge(cluster, *ends, traffic, strict_nodes=strict)
    source, destination = ends
    return (verdict.egress.allowed or not here(cluster, source, node)) and (
        verdict.ingress.allowed or not here(cluster, destination, node)
    )


@pytest.mark.parametrize("seed", range(24))
def test_lines_mean_what_a_node_s_pods_gain_and_lose_and_nothing_else(bare: ApplyScene, seed: int) -> None:
    sides, strict = objects_of(seed), seed % 2 == 0
    old, new = (load_objects(each) for each in sides)
    node = next((pod.node for pod in new.pods), next(iter(new.nodes)))
    options = Options(bare.bridge, node, strict_nodes=strict)
    for number, pod in enumerate(each for each in new.pods if each.node == node):
        bare.add_pod(pod.key, f"pod{number}", attached_mac=f"0a:00:00:00:00:{number:02x}")
    apply(bare.switch.location, old, options)
    seen = preview(bare.switch.location, new, options)
    found = compare_bridge(read_bridge(seen.dumped), new, seen.ports, options)
    reader = NodeReader(new, new, strict)
    asked = 0
    for near, far, traffic in [each for objects in sides for each in probes(objects)]:
        ends = who(new, near), who(new, far)
        if not any(here(new, end, node) for end in ends) or not all(map(reader.is_told, ends)):
            continue
        if isinstance(ends[1], NodeEnd) and traffic.port in TUNNEL_UDP_PORTS.values():
            continue  # no policy can admit it
        asked += 1
        was, now = (half(cluster, ends, traffic, str(node), strict=strict) for cluster in (old, new))
        said = {line.gained for line in found.lines if reader.means(line, *ends, traffic)}
        assert said == ({now} if was != now else set()), (ends, traffic)
    assert asked or not new.pods


def test_a_drop_by_hand_is_told_as_what_apply_gives_back(scene: ApplyScene) -> None:
    flow = "cookie=0x0a5e000000000000,table=0,priority=40000,tcp,tp_dst=80,nw_dst=10.20.1.10 actions=drop"
    scene.ofctl("add-flow", flow)
    answer, _ = effect(scene)
    assert answer.out.splitlines() == [
        "+ default/role=frontend, all nodes -> default/role=db  80/tcp   (default/to-db ingress[0])"
    ]


def test_a_passing_flow_by_hand_is_told_as_what_apply_ends(scene: ApplyScene) -> None:
    flow = next(each.text for each in scene.flows() if each.table == 150 and "tp_dst=80" in each.text)
    scene.ofctl("add-flow", flow.replace("tp_dst=80", "tp_dst=90"))
    answer, _ = effect(scene)
    assert answer.out.splitlines() == [f"- {TO_DB}  90/tcp   (isolated for ingress by default/to-db)"]


def test_what_reaches_another_pod_is_told_as_gained(scene: ApplyScene) -> None:
    """The interface of a pod has another number than at the time of its flows."""
    scene.vsctl("set", "Interface", "db0", "ofport_request=77")
    answer, _ = effect(scene)
    assert f"+ {TO_DB}  80/tcp   (default/to-db ingress[0])" in answer.out.splitlines()
    scene.apply()
    assert effect(scene)[0].out == ""


def test_pods_of_the_node_only_are_named_as_such(scene: ApplyScene) -> None:
    """Of many equal pods on two nodes, only the pods of this node."""
    for number in range(3):
        for node in (1, 2):
            name, address = f"web-{node}-{number}", f"10.20.{node}.{20 + number}"
            scene.write(name, WEB.format(name=name, node=f"node-{node}", address=address))
            if node == 1:
                scene.add_pod(f"default/{name}", name)
    scene.apply()
    scene.write("deny", DENIED.replace("role: db", "role: web"))
    answer, found = effect(scene)
    assert answer.out.splitlines() == [
        "- everyone -> default/role=web on node-1  all traffic   (isolated for ingress by default/deny)"
    ]
    assert found["lost"][0]["destinations"]["on_node"] == "node-1"


def test_a_flow_that_cannot_be_judged_is_an_error_with_its_text(scene: ApplyScene) -> None:
    scene.ofctl("add-flow", "table=0,priority=40000,tcp,tp_dst=80 actions=NORMAL")
    answer = scene.run("diff", "--effect")
    assert (answer.code, answer.out) == (4, "")
    assert "cannot be judged" in answer.err
    assert "actions=NORMAL" in answer.err


def test_a_bridge_that_never_met_ovsnp_cannot_be_judged(bare: ApplyScene) -> None:
    bare.add_pod("default/db", "db0")
    answer = bare.run("diff", "--effect")
    assert (answer.code, answer.out) == (4, "")
    assert "actions=NORMAL" in answer.err


def test_sides_without_effect_and_missing_bridges_are_errors(scene: ApplyScene) -> None:
    assert scene.run("diff", "one", "two").code == 2
    answer = scene.run("diff", "--effect", "--bridge", "br-none")
    assert (answer.code, answer.out) == (4, "")
