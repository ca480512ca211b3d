"""Workloads, label selectors and rows of the matrix as SRC and DST."""

import json
from pathlib import Path

import pytest

from tests.support.applying import Answer, ovsnp

OBJECTS = """
{apiVersion: v1, kind: Service, metadata: {name: db}, spec: {clusterIP: 10.96.0.1, selector: {role: db},
 ports: [{port: 80}]}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: some-blocks}
spec:
  podSelector: {matchLabels: {app: cart}}
  ingress: [{from: [{ipBlock: {cidr: 10.20.1.0/24}}, {ipBlock: {cidr: 198.51.100.0/24}}], ports: [{port: 80}]}]
"""


def pod(name: str, address: str, node: str, app: str, owner: str = "") -> str:
    kind, _, owned = owner.partition("/")
    owners = f", ownerReferences: [{{kind: {kind}, name: {owned}, controller: true}}]" if owner else ""
    return (
        f"---\n{{apiVersion: v1, kind: Pod, metadata: {{name: {name}, labels: {{app: {app}}}{owners}}},"
        f" spec: {{nodeName: {node}}}, status: {{phase: Running, podIPs: [{{ip: {address}}}]}}}}\n"
    )


@pytest.fixture
def shop(workdir: Path) -> None:
    """The usual cluster and workloads on both nodes, one with the name of a pod, and blocks that separate them."""
    pods = [
        pod("cart-1", "10.20.1.21", "node-1", "cart", "StatefulSet/cart"),
        pod("cart-2", "10.20.2.21", "node-2", "cart", "StatefulSet/cart"),
        pod("till-1", "10.20.1.22", "node-1", "till", "DaemonSet/till"),
        pod("till-2", "10.20.2.22", "node-2", "till", "DaemonSet/till"),
        pod("till", "10.20.2.23", "node-2", "other"),
        pod("bare-a", "10.20.1.24", "node-1", "bare"),
        pod("bare-b", "10.20.1.25", "node-1", "bare"),
    ]
    Path("manifests/shop.yaml").write_text(OBJECTS + "".join(pods))


def run(command: str, *arguments: object) -> Answer:
    answer = ovsnp(command, *arguments, "-f", "manifests")
    assert "Traceback" not in answer.err
    return answer


pytestmark = pytest.mark.usefixtures("shop")


def test_all_pods_alike_have_one_answer() -> None:
    answer = run("explain", "statefulset/cart", "app=bare", "80")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.splitlines()[:3] == [
        "ALLOWED  statefulset/default/cart to default/app=bare, 80/tcp",
        "  all 4 connections, such as default/cart-1 to default/bare-a",
        "  10.20.1.21 to 10.20.1.24",
    ]


def test_where_pods_differ_the_answer_names_one_of_each_and_meets_no_expectation() -> None:
    answer = run("explain", "daemonset/till", "cart", "80")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.splitlines()[:5] == [
        "MIXED  daemonset/default/till to statefulset/default/cart, 80/tcp: some pods differ",
        "  2 of 4 connections allowed, such as default/till-1 to default/cart-1",
        "  2 of 4 connections denied, such as default/till-2 to default/cart-1",
        "",
        "ALLOWED  default/till-1 to default/cart-1, 80/tcp",
    ]
    said = json.loads(run("explain", "daemonset/till", "cart", "80", "-o", "json").out)
    assert (said["verdict"], [each["alike"] for each in said["connections"]]) == ("mixed", [2, 2])
    for expect in ("allowed", "denied"):
        assert run("explain", "daemonset/till", "cart", "80", "--expect", expect).code == 1


def test_without_port_too() -> None:
    answer = run("explain", "daemonset/till", "cart")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.splitlines()[:5] == [
        "MIXED    daemonset/default/till to statefulset/default/cart: some pods differ",
        "  2 of 4 pairs of addresses: 80/tcp allowed, such as default/till-1 to default/cart-1",
        "  2 of 4 pairs of addresses: no port allowed, such as default/till-2 to default/cart-1",
        "",
        "ALLOWED  default/till-1 to default/cart-1, 80/tcp",
    ]
    alike = run("explain", "app=bare", "cart")
    assert alike.code == 0
    assert alike.out.splitlines()[:3] == [
        "ALLOWED  default/app=bare to statefulset/default/cart, 80/tcp",
        "DENIED   default/app=bare to statefulset/default/cart, all other ports",
        "  all 4 pairs of addresses, such as default/bare-a to default/cart-1",
    ]


def test_no_pod_is_asked_about_itself() -> None:
    answer = run("explain", "cart", "cart", "81")
    assert answer.code == 0
    assert answer.out.startswith("DENIED  statefulset/default/cart to statefulset/default/cart, 81/tcp\n  all 2 conn")


def test_all_about_one_pod_needs_one() -> None:
    assert run("explain", "default/app=other").out.startswith("default/till\n")
    answer = run("explain", "cart")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == "ovsnp: cart is 2 pods; name one of them, such as default/cart-1\n"


@pytest.mark.parametrize(
    ("source", "destination", "expect", "code"),
    [
        ("app=bare", "cart", "allowed", 0),
        ("daemonset/till", "cart", "allowed", 1),
        ("daemonset/till", "cart", "denied", 1),
        ("cart", "svc/db", "denied", 0),
        ("nodes", "app=cart", "allowed", 0),
    ],
)
def test_expectation_is_met_only_by_all_pods(source: str, destination: str, expect: str, code: int) -> None:
    port = "" if destination.startswith("svc/") else ", port: 80"
    Path("expected.yaml").write_text(f"- {{from: {source}, to: {destination}{port}, expect: {expect}}}\n")
    answer = run("check", "expected.yaml")
    assert answer.code == code
    assert ("it is mixed" in answer.out) == (source == "daemonset/till")


@pytest.mark.parametrize("options", [(), ("--by", "pod"), ("--strict-nodes",), ("--by", "pod", "--strict-nodes")])
def test_every_heading_can_be_pasted_into_explain_and_check(options: tuple[str, ...]) -> None:
    said = json.loads(run("matrix", "-o", "json", *options).out)
    text = {line.split("  ")[0] for line in run("matrix", *options).out.splitlines()[1:]}
    names = {*said["from"], *said["to"], *text}
    assert {"nodes", "outside/0.0.0.0/0"} <= names or "pod" in options
    assert any("[" in name for name in names) or "pod" in options
    strict = [option for option in options if option == "--strict-nodes"]
    for name in names:
        assert run("explain", name, "default/db", "80", *strict).code in (0, 1)
        assert run("explain", "default/db", name, *strict).code in (0, 1)
    entry = {"from": sorted(names), "to": sorted(names), "port": 80, "expect": "allowed"}
    Path("expected.yaml").write_text(json.dumps([entry]))
    assert run("check", "expected.yaml", *strict).code in (0, 1)


def test_rows_of_the_matrix_by_workload_or_labels() -> None:
    for words in ("statefulset/cart", "default/app=cart"):
        lines = run("matrix", "--from", words).out.splitlines()[1:]
        assert {line.split("  ")[0] for line in lines} == {"default/cart[cart-1]", "default/cart[cart-2]"}
