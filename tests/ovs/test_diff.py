"""`ovsnp diff` on a real ovs-vswitchd: `apply` does what it says, and diff itself changes nothing."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.support.applying import Answer, ApplyScene, ovsnp, policy
from tests.support.checkout import ROOT
from tests.support.clusters import random_cluster, random_services
from tests.support.instance import DummySwitch

SCHEMA = json.loads((ROOT / "docs" / "diff.schema.json").read_text())
SERVICE = """
kind: Service
apiVersion: v1
metadata: {name: db}
spec: {clusterIPs: ["10.96.0.10"], ports: [{port: 80}]}
---
kind: EndpointSlice
apiVersion: discovery.k8s.io/v1
metadata: {name: db-0, labels: {kubernetes.io/service-name: db}}
addressType: IPv4
ports: [{port: 8080}]
endpoints: [ENDPOINTS]
"""


@pytest.fixture
def bare(dummy_switch: DummySwitch, tmp_path: Path) -> Iterator[ApplyScene]:
    """A new bridge, standalone, without ports of pods; the manifests have no policy."""
    scene = ApplyScene(dummy_switch, "br-diff", tmp_path)
    yield scene
    scene.close()


@pytest.fixture
def scene(bare: ApplyScene) -> ApplyScene:
    """A bridge with an applied policy: frontends to port 80."""
    bare.add_pod("default/db", "db0")
    bare.add_pod("default/frontend", "fe0")
    bare.write("policy", policy("to-db", 80))
    bare.apply()
    return bare


def service(*addresses: str) -> str:
    endpoints = ", ".join(f'{{addresses: ["{address}"], conditions: {{ready: true}}}}' for address in addresses)
    return SERVICE.replace("ENDPOINTS", endpoints)


def different(scene: ApplyScene, *more: object) -> list[str]:
    """The lines of a diff, which must find differences and change nothing."""
    answer, _ = read(scene, *more)
    assert answer.code == 1, answer
    return answer.out.splitlines()


def read(scene: ApplyScene, *more: object) -> tuple[Answer, dict[str, Any]]:
    """The output of diff as text and as JSON; it must change nothing on the bridge."""
    before = scene.state(), scene.groups(), scene.ages().keys()
    answer, told = scene.run("diff", *more), scene.run("diff", "-o", "json", *more)
    assert (scene.state(), scene.groups(), scene.ages().keys()) == before
    assert answer.code == told.code
    found = json.loads(told.out)
    Draft202012Validator(SCHEMA).validate(found)
    assert found["differences"] is (answer.code == 1)
    return answer, found


def same(scene: ApplyScene) -> None:
    answer, _ = read(scene)
    assert (answer.code, answer.out) == (0, "")


def test_nothing_differs_after_apply(scene: ApplyScene) -> None:
    same(scene)


def test_bare_bridge_would_get_all_that_compile_prints_and_what_it_lacks(bare: ApplyScene) -> None:
    bare.add_pod("default/db", "db0")
    bare.add_pod("default/frontend", "fe0")
    bare.write("policy", policy("to-db", 80))
    lines = different(bare)
    done = bare.run("diff", "-o", "json")
    compiled = [line for line in bare.run("compile").out.splitlines() if line.startswith("flow add ")]
    assert sorted(line[1:] for line in lines if line.startswith("+flow")) == sorted(compiled)
    assert not any(line.startswith("-flow") for line in lines)
    said = json.loads(done.out)["to_do"]
    assert said[-1] == "Open vSwitch's own flow removed with fail_mode: priority=0 actions=NORMAL"
    assert json.loads(bare.apply("-o", "json").out)["done"] == said[:-1]
    assert len(said) > 5
    same(bare)


def test_another_port_is_one_flow_for_another_with_the_rule_it_is_of(scene: ApplyScene) -> None:
    scene.write("policy", policy("to-db", 81))
    lines = different(scene)
    assert lines[:2] == ["--- br-diff, as it is", "+++ br-diff, as apply would leave it"]
    assert lines[2] == "@@ table 150, IngressRule: default/to-db ingress[0] @@"
    gone, new = [line for line in lines if line[0] == "-"][1:], [line for line in lines if line[0] == "+"][1:]
    assert [line[1:].replace("tp_dst=80", "tp_dst=81") for line in gone] == [line[1:] for line in new]
    assert {line.partition(",tp_dst=")[2].partition(" ")[0] for line in gone} == {"80"}
    assert len(lines) == 3 + len(gone) + len(new)


def test_flow_with_other_actions_is_shown_as_it_is_and_as_it_would_be(scene: ApplyScene) -> None:
    scene.vsctl("set", "Interface", "db0", 'external_ids:attached-mac="0a:00:00:00:00:01"')
    _, found = read(scene)
    delivery = next(each for each in found["flows"]["changed"] if each["after"]["table"] == "Forward")
    assert {key for key in delivery["after"] if delivery["after"][key] != delivery["before"][key]} == {"actions"}
    lines = different(scene)
    (old,) = (line for line in lines if line.startswith("-flow") and ",table=110," in line)
    new = lines[lines.index(old) + 1]
    old_parts, new_parts = old[1:].split(","), new[1:].split(",")
    assert sum(here != there for here, there in zip(old_parts, new_parts, strict=True)) == 1


def test_policy_that_is_gone_is_named_by_its_rule_number_only(scene: ApplyScene) -> None:
    (number,) = {flow.cookie & 0xFFFFFFFF for flow in scene.flows()} - {0}
    scene.remove("policy")
    lines, (_, found) = different(scene), read(scene)
    assert f"@@ table 150, IngressRule: rule {number:#010x}, of no policy in the manifests @@" in lines
    assert not any("to-db" in line for line in lines)
    unknown = {each for flow in found["flows"]["deleted"] for each in flow["unknown_rules"]}
    assert unknown == {f"{number:#010x}"}


def test_clause_of_two_policies_of_which_one_goes_names_both(scene: ApplyScene) -> None:
    scene.write("other", policy("other", 80))
    scene.apply()
    scene.remove("other")
    _, found = read(scene)
    (port,) = (each for each in found["flows"]["changed"] if "tp_dst=80" in each["after"]["match"])
    assert [each["name"] for each in port["after"]["policies"]] == ["to-db"]
    assert [each["name"] for each in port["before"]["policies"]] == ["to-db"]
    (number,) = port["before"]["unknown_rules"]
    heading = f"default/to-db ingress[0]; rule {number}, of no policy in the manifests"
    assert f"@@ table 150, IngressRule: {heading} @@" in different(scene)


def test_rule_that_is_gone_from_a_policy_is_named(scene: ApplyScene) -> None:
    two = policy("to-db", 80) + policy("x", 81)[policy("x", 81).index("    - from") :]
    scene.write("policy", two)
    scene.apply()
    scene.write("policy", policy("to-db", 80))
    lines = different(scene)
    assert "@@ table 150, IngressRule: default/to-db ingress[1] @@" in lines
    assert not any("of no policy" in line for line in lines)


def test_stray_flow_of_ours_and_one_with_a_timeout_are_seen_and_others_are_not(scene: ApplyScene) -> None:
    scene.ofctl("add-flow", "cookie=0x5,table=150,priority=7,udp actions=drop")
    same(scene)
    scene.ofctl("add-flow", "cookie=0xa5e960000000000,table=150,priority=7,tcp actions=drop")
    (line,) = (line for line in different(scene) if line.startswith("-flow"))
    assert line == "-flow add cookie=0x0a5e960000000000,table=150,priority=7,tcp actions=drop"
    scene.apply()
    flow = next(each for each in scene.flows() if each.table == 40)
    scene.ofctl("add-flow", flow.text.replace("priority", "hard_timeout=900,priority"))
    _, found = read(scene)
    (changed,) = found["flows"]["changed"]
    assert changed["before"]["extras"] == ["hard_timeout=900"]
    assert "hard_timeout=900," in "\n".join(different(scene))


def test_what_is_lost_with_ovs_vswitchd_is_told(scene: ApplyScene) -> None:
    scene.ofctl("del-flows")
    scene.ofctl("del-groups")
    scene.ofctl("del-tlv-map")
    assert "+Geneve options mapped" in different(scene)
    scene.apply()
    scene.ofctl("set-frags", "normal")
    assert "+first fragments shown with their ports" in different(scene)


def test_endpoints_of_a_service_come_and_go_bucket_by_bucket(scene: ApplyScene) -> None:
    scene.write("service", service("10.20.1.10", "10.20.2.11"))
    assert "@@ groups of default/db 80/TCP @@" in different(scene)
    scene.apply()
    scene.write("service", service("10.20.1.10", "10.20.2.12"))
    lines = different(scene)
    (old,) = (line for line in lines if line.startswith("-  bucket"))
    (new,) = (line for line in lines if line.startswith("+  bucket"))
    assert "10.20.2.11" in old
    assert "10.20.2.12" in new
    assert any(line.startswith(" group group_id=") for line in lines)
    assert lines[-2:] == [
        "@@ open connections through Services, cut where there are any @@",
        "-to 10.96.0.10 port 80/tcp, which 10.20.2.11 port 8080 serves",
    ]
    _, found = read(scene)
    assert [each["endpoint"]["address"] for each in found["cut"]] == ["10.20.2.11"]
    scene.remove("service")
    _, found = read(scene)
    assert len(found["groups"]["deleted"]) == 1


def test_diff_apply_diff_is_empty_and_its_numbers_are_those_of_apply(bare: ApplyScene) -> None:
    """Random policies and Services for the same pods, one after the other."""
    bare.add_pod("default/db", "db0")
    bare.add_pod("default/frontend", "fe0")
    kinds = ("NetworkPolicy", "Service", "EndpointSlice", "Namespace")
    for seed in range(12):
        random = Random(seed)
        objects = random_cluster(random, ((4,),))
        objects += random_services(random, objects)
        bare.write("random", json.dumps({"kind": "List", "apiVersion": "v1", "items": [
            each for each in objects if each["kind"] in kinds
        ]}))  # fmt: skip
        _, found = read(bare)
        assert found["differences"]
        done = json.loads(bare.apply("-o", "json").out)
        assert done["flows"] == {kind: len(found["flows"][kind]) for kind in ("added", "changed", "deleted")}
        assert done["groups"] == sum(map(len, found["groups"].values()))
        same(bare)


# Failures


def test_missing_bridge_or_database_is_4(scene: ApplyScene, tmp_path: Path) -> None:
    answer = scene.run("diff", "--bridge", "br-none")
    assert (answer.code, answer.out) == (4, "")
    assert "br-none does not exist" in answer.err
    answer = ovsnp("diff", "--db", tmp_path / "none" / "db.sock", "--node", "node-1", "-f", scene.directory)
    assert (answer.code, answer.out) == (4, "")


def test_what_apply_would_refuse_is_4(scene: ApplyScene) -> None:
    scene.ofctl("del-flows", "cookie=0xa5e000000000000/0xffff000000000000")
    scene.ofctl("add-flow", "cookie=0x9,table=40,priority=100,ip actions=drop")
    answer = scene.run("diff")
    assert (answer.code, answer.out) == (4, "")
    assert "not ovsnp's" in answer.err


def test_bad_manifests_are_3_and_ports_files_2(scene: ApplyScene, tmp_path: Path) -> None:
    assert scene.run("diff", "--ports", tmp_path / "ports.yaml").code == 2
    scene.write("policy", policy("to-db", 65536))
    assert scene.run("diff").code == 3


def test_pod_without_interface_is_told(bare: ApplyScene) -> None:
    bare.add_pod("default/db", "db0")
    answer = bare.run("diff")
    assert answer.code == 1
    assert "default/frontend: left out" in answer.err


@pytest.mark.parametrize(
    ("arguments", "environment", "coloured"),
    [((), {}, True), (("--no-color",), {}, False), ((), {"NO_COLOR": "1"}, False)],
)
def test_colour_only_where_it_is_wanted(
    scene: ApplyScene, arguments: tuple[str, ...], environment: dict[str, str], coloured: bool
) -> None:
    scene.write("policy", policy("to-db", 81))
    command = [sys.executable, "-m", "ovsnp", *map(str, scene.arguments("diff", *arguments))]
    reader, writer = os.openpty()
    given = {"PYTHONPATH": str(ROOT), "TERM": "xterm-256color", "PATH": os.environ["PATH"], **environment}
    done = subprocess.run(command, env=given, stdout=writer, check=False, timeout=60)
    os.close(writer)
    assert done.returncode == 1
    assert ("\x1b[31m-flow" in os.read(reader, 65536).decode()) is coloured
    os.close(reader)
