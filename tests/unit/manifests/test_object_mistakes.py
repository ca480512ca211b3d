"""Mistakes in nodes, pods, namespaces and Lists, with their whole lines."""

import json
from collections.abc import Callable

import pytest

Mistakes = Callable[..., list[str]]


def _node(name: str, cidr: str | None, address: str | None, more: str = "") -> str:
    spec = "{}" if cidr is None else f"{{podCIDRs: [{cidr}]}}"
    status = "{}" if address is None else f"{{addresses: [{{type: InternalIP, address: '{address}'}}{more}]}}"
    return f"apiVersion: v1\nkind: Node\nmetadata: {{name: {name}}}\nspec: {spec}\nstatus: {status}\n"


def _pod(name: str, address: str, node: str = "", field: str = "podIP") -> str:
    spec = f"{{nodeName: {node}}}" if node else "{}"
    ips = f"podIPs: [{address}]" if field == "podIPs" else f"podIP: '{address}'"
    return f"apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec: {spec}\nstatus: {{{ips}}}\n"


N1 = _node("n1", "10.0.1.0/24", "192.168.0.1")
NO_CIDR = "is no CIDR block; write ADDRESS/LENGTH, such as 10.0.0.0/8 or fd00::/64"


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([_node("n1", "10.0.1.0", None)], [f"4: Node n1: spec.podCIDRs[0]: '10.0.1.0' {NO_CIDR}"]),
        ([_node("n1", "null", None)], [f"4: Node n1: spec.podCIDRs[0]: '' {NO_CIDR}"]),
        ([N1, _node("n1", "10.0.7.0/24", "192.168.0.1")], ["9: Node n1: metadata.name: another object of this name, "
                                                           "in in.yaml, differs; keep one of the two"]),
    ],
)  # fmt: skip
def test_nodes(mistakes: Mistakes, texts: list[str], expected: list[str]) -> None:
    assert mistakes("---\n".join(texts)) == [f"in.yaml:{line}" for line in expected]


def test_node_of_a_pod(mistakes: Mistakes) -> None:
    assert mistakes(_pod("p", "10.0.1.2", "[n1]")) == [
        "in.yaml:4: Pod default/p: spec.nodeName: must be text, not a list; write it in quotes"
    ]


def test_two_pods_of_one_name(mistakes: Mistakes) -> None:
    assert mistakes("---\n".join([_pod("a", "10.0.0.1"), _pod("a", "10.0.0.1"), _pod("a", "10.0.0.2")])) == [
        "in.yaml:15: Pod default/a: metadata.name: another object of this name, in in.yaml, differs; "
        "keep one of the two"
    ]


@pytest.mark.parametrize(
    ("port", "message"),
    [
        ("{name: web}", "containerPort: missing; write 1 to 65535"),
        ("{name: web, containerPort: 0}", "containerPort: the number 0 is no port; write 1 to 65535"),
        ("{name: web, containerPort: 70000}", "containerPort: the number 70000 is no port; write 1 to 65535"),
        ("{name: web, containerPort: '80'}", "containerPort: must be a whole number, not the text '80'; "
         "write it as digits without quotes"),
        ("{name: '80', containerPort: 80}", "name: '80' in quotes is a name, and a name of a port has a letter; "
         "write 80 without quotes"),
    ],
)  # fmt: skip
def test_container_ports(mistakes: Mistakes, port: str, message: str) -> None:
    text = f"""\
apiVersion: v1
kind: Pod
metadata: {{name: p}}
spec:
  containers:
  - ports:
    - {port}
status: {{podIP: 10.0.0.1}}
"""
    assert mistakes(text) == [f"in.yaml:7: Pod default/p: spec.containers[0].ports[0].{message}"]


def test_labels_and_names(mistakes: Mistakes) -> None:
    text = """\
apiVersion: v1
kind: Namespace
metadata:
  name: a.b
---
apiVersion: v1
kind: Pod
metadata:
  name: P
  namespace: gone
  labels:
    a b: c
    on: "1"
    ok: {}
"""
    assert mistakes(text) == [
        "in.yaml:4: Namespace a.b: metadata.name: 'a.b' is no valid name; "
        "use at most 63 lower-case letters, digits and '-'",
        "in.yaml:9: Pod gone/P: metadata.name: 'P' is no valid name; "
        "use at most 253 lower-case letters, digits, '-' and '.'",
        "in.yaml:12: Pod gone/P: metadata.labels[\"a b\"]: 'a b' cannot be the key of a label; use at most 63 letters, "
        "digits, '-', '_' and '.', after a DNS domain and '/' if need be",
        "in.yaml:13: Pod gone/P: metadata.labels.True: a key must be text, not the boolean true; write it in quotes",
        "in.yaml:14: Pod gone/P: metadata.labels.ok: must be text, not a mapping; write it in quotes",
    ]


@pytest.mark.parametrize(
    ("header", "line", "subject", "message"),
    [
        ("apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy", 2, "CiliumNetworkPolicy default/x: ",
         "kind: 'CiliumNetworkPolicy' of 'cilium.io/v2' is a policy that is not understood; "
         "leave it out, or pass over it with --ignore-kind"),
        ("apiVersion: crd.antrea.io/v1beta1\nkind: NetworkPolicy", 2, "NetworkPolicy default/x: ",
         "kind: 'NetworkPolicy' of 'crd.antrea.io/v1beta1' is a policy that is not understood; "
         "leave it out, or pass over it with --ignore-kind"),
        ("apiVersion: policy.networking.k8s.io/v1alpha1\nkind: BaselineAdminNetworkPolicy", 2,
         "BaselineAdminNetworkPolicy default/x: ",
         "kind: 'BaselineAdminNetworkPolicy' of 'policy.networking.k8s.io/v1alpha1' is a policy that is not "
         "understood; leave it out, or pass over it with --ignore-kind"),
        ("apiVersion: k8s.ovn.org/v1\nkind: EgressFirewall", 2, "EgressFirewall default/x: ",
         "kind: 'EgressFirewall' of 'k8s.ovn.org/v1' is a policy that is not understood; "
         "leave it out, or pass over it with --ignore-kind"),
        ("apiVersion: acme.io/v1\nkind: 'Network-Policies '", 2, "Network-Policies  default/x: ",
         "kind: 'Network-Policies ' of 'acme.io/v1' is a policy that is not understood; "
         "leave it out, or pass over it with --ignore-kind"),
        ("apiVersion: networking.k8s.io/v1\nkind: Networkpolicy", 2, "Networkpolicy default/x: ",
         "kind: 'networking.k8s.io/v1' has no 'Networkpolicy'; write kind: NetworkPolicy, or leave it out"),
        ("apiVersion: networking.k8s.io/v1\nkind: NetworkPolcy", 2, "NetworkPolcy default/x: ",
         "kind: 'networking.k8s.io/v1' has no 'NetworkPolcy'; write kind: NetworkPolicy, or leave it out"),
        ("kind: NetworkPolicy", 1, "NetworkPolicy default/x: ",
         "apiVersion: missing; write apiVersion: networking.k8s.io/v1"),
        ("kind: Node", 1, "Node x: ", "apiVersion: missing; write apiVersion: v1"),
        ("apiVersion: v2\nkind: Node", 1, "Node x: ", "apiVersion: 'v2' has no Node; write apiVersion: v1"),
        ("apiVersion: v2\nkind: Namespace", 1, "Namespace x: ", "apiVersion: 'v2' has no Namespace; "
         "write apiVersion: v1"),
        ("kind: ServiceCIDR", 1, "ServiceCIDR x: ", "apiVersion: missing; write apiVersion: networking.k8s.io/v1"),
        ("apiVersion: v1", 1, "", "kind: missing; every object says its kind, such as kind: NetworkPolicy"),
        ("apiVersion: v1\nkind: [Pod]", 2, "", "kind: must be text, not a list; write it in quotes"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("notation", ["yaml", "json"])
def test_headers(mistakes: Mistakes, *, header: str, line: int, subject: str, message: str, notation: str) -> None:
    text = f"{header}\nmetadata: {{name: x}}\n"
    if notation == "json":
        pairs = [entry.split(": ", 1) for entry in header.splitlines()]
        fields = {key: [value[1:-1]] if value.startswith("[") else value.strip("'") for key, value in pairs}
        text, line = json.dumps({**fields, "metadata": {"name": "x"}}), 1
    assert mistakes(text) == [f"in.yaml:{line}: {subject}{message}"]


VERSIONS = ["extensions/v1beta1", "v1", "v1beta1", "networking/v1", "networking.k8s.io/v1beta1", "networking.k8s.io/v2",
            "networking.k8s.io", "networking.k8s/v1", " Networking.k8s.io/v1 ", "apps/v1", "NetworkPolicy"]  # fmt: skip


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", ["NetworkPolicy", "NetworkPolicyList"])
def test_policy_of_another_version_is_never_left_out(mistakes: Mistakes, version: str, kind: str) -> None:
    """The remedy is the version to write: --ignore-kind would remove the policy."""
    item: dict[str, object] = {"metadata": {"name": "x"}, "spec": {"podSelector": {}}}
    fields = {"items": [item]} if kind.endswith("List") else item
    expected = (
        f"NetworkPolicy default/x: apiVersion: '{version}' has no NetworkPolicy; write apiVersion: networking.k8s.io/v1"
    )
    assert mistakes(json.dumps({"apiVersion": version, "kind": kind, **fields})) == [f"in.yaml:1: {expected}"]


def test_lists(mistakes: Mistakes) -> None:
    text = """\
apiVersion: v1
kind: List
items:
- null
- apiVersion: v1
  kind: List
- apiVersion: v1
  kind: PodList
  items: {}
- apiVersion: v1
  kind: PodList
  items:
  - metadata:
      name: a
      name: b
  - 5
"""
    expected = [
        "4: must be a Kubernetes object, not null; write its fields",
        "5: List default/?: items: missing; write the objects there, or [] if there are none",
        "9: List default/?: items: must be a list, not a mapping; write each object after a dash",
        "15: Pod default/b: metadata.name: written twice in one mapping; keep one of the two",
        "16: must be a Kubernetes object, not the number 5; write its fields",
    ]
    assert mistakes(text) == [f"in.yaml:{line}" for line in expected]


def test_lists_in_json(mistakes: Mistakes) -> None:
    text = """{
"kind": "List", "apiVersion": "v1", "items": [
  null,
  {"kind": "List", "apiVersion": "v1"},
  {"kind": "PodList", "apiVersion": "v1", "items": {}},
  {"kind": "NetworkPolicyList", "apiVersion": "networking.k8s.io/v1", "items": [
    {"metadata": {"name": "a"},
     "spec": {"egress": [],
              "ingress": [{"from": [null],
                           "from": []}]}},
    5
]}], "items": []}
"""
    assert mistakes(text)[-1:] == [
        "in.yaml:12: List default/?: items: written twice in one mapping; keep one of the two"
    ]
    policy = "NetworkPolicy default/a: spec.ingress[0].from: written twice in one mapping; keep one of the two"
    assert mistakes(text.replace(', "items": []}\n', "}")) == [
        "in.yaml:3: must be a Kubernetes object, not null; write its fields",
        "in.yaml:4: List default/?: items: missing; write the objects there, or [] if there are none",
        "in.yaml:5: List default/?: items: must be a list, not a mapping; write each object after a dash",
        f"in.yaml:10: {policy}",
        "in.yaml:11: must be a Kubernetes object, not the number 5; write its fields",
    ]


def test_a_mistake_made_twice_is_told_twice(mistakes: Mistakes) -> None:
    text = "---\n".join(
        f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}, labels: {{a: b/c, d/e/f: g}}}}\n" for name in "xy"
    )
    value, key = "'b/c' cannot be the value of a label", "'d/e/f' cannot be the key of a label"
    found = [line.split(";")[0] for line in mistakes(text)]
    assert found == [
        f"in.yaml:{line}: Namespace {name}: metadata.{message}"
        for line, name in ((3, "x"), (7, "y"))
        for message in (f"labels.a: {value}", f"labels[d/e/f]: {key}")
    ]
