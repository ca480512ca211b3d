"""Manifests as people keep them in Git, without running pods: answers about workloads, and no flows."""

import json
from pathlib import Path

import pytest

from tests.support.applying import Answer, ovsnp

pytestmark = pytest.mark.usefixtures("repository")

MANIFESTS = """\
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, namespace: shop}
spec: {template: {metadata: {labels: {app: cart}}, spec: {containers: [{name: cart}]}}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: redis, namespace: shop}
spec:
  template:
    metadata: {labels: {app: redis}}
    spec: {containers: [{name: redis, ports: [{name: redis, containerPort: 6379}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: redis, namespace: shop}
spec: {selector: {app: redis}, ports: [{port: 80, targetPort: redis}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: redis, namespace: shop}
spec:
  podSelector: {matchLabels: {app: redis}}
  ingress:
  - {from: [{podSelector: {matchLabels: {app: cart}}}], ports: [{port: 6379}]}
"""
BLOCK = "  - {from: [{ipBlock: {cidr: 10.0.0.0/8}}], ports: [{port: 9121}]}\n"
NOTE = (
    "note: shop.yaml:30: NetworkPolicy shop/redis: spec.ingress[1].from[0].ipBlock: may hold pods that have no address "
    "yet; ovsnp takes the block not to hold them\n"
)
MATRIX = """\
FROM               PORTS     TO
shop/cart          all       shop/cart, outside/0.0.0.0/0
shop/cart          6379/tcp  shop/redis
shop/redis         all       shop/cart, outside/0.0.0.0/0
shop/redis         none      shop/redis
outside/0.0.0.0/0  all       shop/cart
outside/0.0.0.0/0  none      shop/redis
"""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OVS_RUNDIR", str(tmp_path / "no-ovs"))
    (tmp_path / "shop.yaml").write_text(MANIFESTS)
    return tmp_path


def ask(command: str, *arguments: str) -> Answer:
    return ovsnp(command, "-f", "shop.yaml", *arguments)


def test_matrix_has_a_row_for_each_workload() -> None:
    assert ask("matrix") == (0, MATRIX, "")


def test_matrix_as_json_names_the_workloads() -> None:
    parties = json.loads(ask("matrix", "-o", "json").out)["parties"]
    assert [(each["name"], each["workload"]) for each in parties[:2]] == [
        ("shop/cart", "deployment/shop/cart"),
        ("shop/redis", "statefulset/shop/redis"),
    ]


def test_explain_names_the_workloads() -> None:
    answer = ask("explain", "shop/cart", "shop/redis", "6379")
    assert answer.out.splitlines()[:2] == [
        "ALLOWED  deployment/shop/cart to statefulset/shop/redis, 6379/tcp",
        "  egress of the source: allowed",
    ]
    document = json.loads(ask("explain", "-o", "json", "shop/cart", "shop/redis", "6379").out)
    assert document["connections"][0]["source"] == {"kind": "pod", "name": "deployment/shop/cart", "address": None}


def test_a_service_without_a_cluster_ip_has_its_backends() -> None:
    answer = ask("explain", "shop/cart", "svc/shop/redis", "80")
    assert answer.out.splitlines()[:2] == [
        "ALLOWED  deployment/shop/cart to svc/shop/redis, 80/tcp",
        "  backend statefulset/shop/redis at 6379/tcp: allowed",
    ]


def test_pods_of_one_workload_are_not_each_other() -> None:
    assert ask("explain", "shop/redis", "shop/redis", "6379", "--expect", "denied").code == 0


def test_pods_of_one_workload_are_among_those_of_a_namespace() -> None:
    answer = ask("explain", "shop/*", "shop/redis", "6379")
    assert answer.out.splitlines()[:3] == [
        "MIXED  shop/* to statefulset/shop/redis, 6379/tcp: some pods differ",
        "  1 of 2 connections allowed, such as deployment/shop/cart to statefulset/shop/redis",
        "  1 of 2 connections denied, such as statefulset/shop/redis to statefulset/shop/redis",
    ]


def test_explain_of_a_workload_knows_its_other_pods() -> None:
    lines = ask("explain", "shop/redis").out.splitlines()
    assert lines[:3] == [
        "statefulset/shop/redis",
        "  on no node that is named, no address yet",
        "  workload: statefulset/shop/redis",
    ]
    assert "    no port           shop/redis, outside/0.0.0.0/0" in lines


def test_what_a_block_may_hold_is_said(repository: Path) -> None:
    (repository / "shop.yaml").write_text(MANIFESTS + BLOCK)
    answer = ask("explain", "shop/cart", "shop/redis", "9121")
    assert answer.err == NOTE
    assert "statefulset" in answer.out.splitlines()[0]
    assert "but deployment/shop/cart has no address yet, so 10.0.0.0/8 is not known to hold it" in answer.out
    assert ask("explain", "--quiet", "shop/cart", "shop/redis", "9121").err == ""


def test_blocks_beyond_the_first_are_counted(repository: Path) -> None:
    (repository / "shop.yaml").write_text(MANIFESTS + BLOCK * 5)
    lines = ask("matrix").err.splitlines()
    assert len(lines) == 4
    assert lines[-1] == "note: 2 more blocks may hold pods that have no address yet"


@pytest.mark.parametrize("expected", ["allowed", "denied"])
def test_check_is_not_met_by_what_a_block_only_may_hold(repository: Path, expected: str) -> None:
    (repository / "shop.yaml").write_text(MANIFESTS + BLOCK)
    (repository / "expected.yaml").write_text(
        f"- {{from: shop/cart, to: shop/redis, port: 9121, expect: {expected}}}\n"
        "- {from: shop/cart, to: shop/redis, port: 6379, expect: allowed}\n"
    )
    answer = ask("check", "expected.yaml")
    found = {"allowed": "it is denied", "denied": "it is allowed if blocks hold pods that have no address yet"}
    assert answer.code == 1
    assert answer.out.splitlines()[0] == f"expected.yaml:1: expected {expected}, but {found[expected]}"
    (unmet, met) = json.loads(ask("check", "-o", "json", "expected.yaml").out)["expectations"]
    assert (unmet["verdict"], unmet["possible"], unmet["met"]) == ("denied", "allowed", False)
    assert (met["verdict"], met["possible"], met["met"]) == ("allowed", "allowed", True)


def test_everywhere_holds_every_pod(repository: Path) -> None:
    (repository / "shop.yaml").write_text(MANIFESTS + BLOCK.replace("10.0.0.0/8", "0.0.0.0/0"))
    assert ask("explain", "shop/cart", "shop/redis", "9121", "--expect", "allowed")[::2] == (0, "")


def test_matrix_without_rows_says_where_the_pods_are(repository: Path) -> None:
    agent = "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: agent}\n"
    (repository / "shop.yaml").write_text(f"{agent}spec: {{template: {{spec: {{hostNetwork: true}}}}}}\n")
    note = "note: the manifests have no pods of their own (all are hostNetwork), so no policy applies\n"
    assert ask("matrix")[::2] == (0, note)


def test_addresses_of_nobody_are_no_pods_without_an_address(repository: Path) -> None:
    (repository / "shop.yaml").write_text(MANIFESTS + BLOCK.replace("10.0.0.0/8", "0.0.0.0/8"))
    assert "outside/0.0.0.0/8  9121/tcp  shop/redis\n" in ask("matrix").out


def test_lint_finds_what_is_wrong_with_workloads(repository: Path) -> None:
    (repository / "shop.yaml").write_text(MANIFESTS.replace("matchLabels: {app: cart}", "matchLabels: {app: crat}"))
    answer = ask("lint")
    assert answer.code == 1
    assert "peer-matches-nothing" in answer.out


def test_diff_effect_tells_what_a_change_in_git_gains(repository: Path) -> None:
    (repository / "new.yaml").write_text(MANIFESTS.replace("app: cart}}}], ", "app: redis}}}], "))
    answer = ovsnp("diff", "--effect", "shop.yaml", "new.yaml")
    assert answer.out.splitlines() == [
        "+ shop/app=redis -> shop/app=redis  6379/tcp   (shop/redis ingress[0])",
        "- shop/app=cart -> shop/app=redis  6379/tcp   (no longer shop/redis ingress[0])",
    ]


@pytest.mark.parametrize("command", ["compile", "apply", "verify", "diff", "trace shop/cart shop/redis"])
def test_flows_are_of_living_pods(command: str) -> None:
    answer = ask(*command.split())
    assert (answer.code, answer.out) == (3, "")
    assert answer.err.startswith("shop.yaml: has workloads, but no Pod with an address, and flows are made for living")


@pytest.mark.parametrize(("text", "what"), [
    ("apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: d}\nspec: {template: {spec: {hostNetwork: true}}}\n",
     "workloads"),
    ("apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {ports: [{port: 80}]}\n", "Services"),
])  # fmt: skip
def test_what_is_on_no_pod_network_is_there_too(repository: Path, text: str, what: str) -> None:
    (repository / "shop.yaml").write_text(text)
    assert ask("matrix").code == 0
    answer = ask("compile")
    assert (answer.code, answer.out) == (3, "")
    assert answer.err.startswith(f"shop.yaml: has {what}, but no Pod with an address, and flows are made for living")


def test_flows_are_made_where_one_pod_lives(repository: Path) -> None:
    living = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: till, namespace: shop}\nstatus: {podIP: 10.1.0.5}\n"
    (repository / "shop.yaml").write_text(f"{MANIFESTS}{living}")
    assert ask("compile").code == 0
