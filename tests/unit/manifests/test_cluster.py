"""The clusters that valid manifests give."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from ovsnp.errors import InputError, Place
from ovsnp.manifests import load, load_objects
from ovsnp.model.address import Address, parse_address, parse_prefix
from ovsnp.model.cluster import Cluster, Namespace, Node, Pod
from ovsnp.model.policy import Direction, IPBlock, NetworkPolicy, PodPeer, Rule
from ovsnp.model.ports import ContainerPort, PortEntry, Protocol
from ovsnp.model.selector import Operator, Requirement, Selector
from tests.support.without_places import bare

Load = Callable[..., Cluster]


def _object(kind: str, name: str, **fields: object) -> dict[str, object]:
    version = "networking.k8s.io/v1" if kind == "NetworkPolicy" else "v1"
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, **fields}


NODE = _object(
    "Node",
    "n1",
    spec={"podCIDR": "10.0.1.5/24", "podCIDRs": ["10.0.1.5/24", "fd00:1::/64"], "providerID": "x"},
    status={
        "addresses": [
            {"type": "Hostname", "address": "n1"},
            {"type": "ExternalIP", "address": "192.0.2.1"},
            {"type": "InternalIP", "address": "192.168.0.1"},
            {"type": "InternalIP", "address": "fd01::1"},
        ]
    },
)
POD: dict[str, object] = _object(
    "Pod",
    "p",
    spec={
        "nodeName": "n1",
        "containers": [
            {"name": "a", "ports": [{"name": "web", "containerPort": 80}, {"containerPort": 81}]},
            {"name": "b", "ports": [{"name": "dns", "containerPort": 53, "protocol": "UDP"}]},
        ],
        "initContainers": [
            {"name": "c", "restartPolicy": "Always", "ports": [{"name": "side", "containerPort": 9}]},
            {"name": "d", "ports": [{"name": "init", "containerPort": 8}]},
        ],
    },
    status={"phase": "Running", "podIP": "10.0.1.2", "podIPs": [{"ip": "10.0.1.2"}, {"ip": "fd00:1::2"}]},
)
POLICY = _object(
    "NetworkPolicy",
    "np",
    spec={
        "podSelector": {
            "matchLabels": {"b": "2", "a": "1"},
            "matchExpressions": [
                {"key": "c", "operator": "NotIn", "values": ["z", "y", "z"]},
                {"key": "a", "operator": "In", "values": ["1"]},
            ],
        },
        "policyTypes": ["Egress", "Ingress"],
        "ingress": [
            {
                "from": [
                    {"podSelector": {}, "namespaceSelector": None},
                    {"namespaceSelector": {"matchExpressions": [{"key": "x", "operator": "Exists"}]}},
                    {"ipBlock": {"cidr": "10.1.2.3/8", "except": ["10.2.0.0/16", "10.1.0.1/16", "10.2.0.0/16"]}},
                ],
                "ports": [{"port": 80, "endPort": 90}, {"port": "web", "protocol": "SCTP"}, {}],
            },
            {},
        ],
        "egress": [{"to": None, "ports": None}],
    },
    status={},
)
NODE["metadata"] = {"name": "n1", "labels": {"zone": "a"}, "managedFields": [{"manager": "kubelet"}]}
OBJECTS = [NODE, POD, POLICY, _object("Namespace", "other")]


def address(text: str) -> Address:
    return parse_address(text)


def test_everything() -> None:
    place = Place("api", 1)
    assert load_objects(OBJECTS) == Cluster(
        namespaces={
            "default": Namespace("default", {"kubernetes.io/metadata.name": "default"}),
            "other": Namespace("other", {"kubernetes.io/metadata.name": "other"}),
        },
        nodes={
            "n1": Node(
                "n1",
                (parse_prefix("10.0.1.0/24"), parse_prefix("fd00:1::/64")),
                (address("192.0.2.1"), address("192.168.0.1"), address("fd01::1")),
                address("192.168.0.1"),
            )
        },
        pods=(
            Pod(
                namespace="default",
                name="p",
                labels={},
                node="n1",
                addresses=(address("10.0.1.2"), address("fd00:1::2")),
                ports=(
                    ContainerPort("web", Protocol.TCP, 80),
                    ContainerPort("dns", Protocol.UDP, 53),
                    ContainerPort("side", Protocol.TCP, 9),
                ),
                place=place,
            ),
        ),
        policies=(
            NetworkPolicy(
                namespace="default",
                name="np",
                pod_selector=Selector(
                    (
                        Requirement("a", Operator.IN, ("1",)),
                        Requirement("b", Operator.IN, ("2",)),
                        Requirement("c", Operator.NOT_IN, ("y", "z")),
                    )
                ),
                policy_types=frozenset(Direction),
                ingress=(
                    Rule(
                        (
                            PodPeer(Selector(), None),
                            PodPeer(None, Selector((Requirement("x", Operator.EXISTS),))),
                            IPBlock(
                                parse_prefix("10.0.0.0/8"), (parse_prefix("10.1.0.0/16"), parse_prefix("10.2.0.0/16"))
                            ),
                        ),
                        (PortEntry(Protocol.TCP, 80, 90), PortEntry(Protocol.SCTP, "web"), PortEntry()),
                    ),
                    Rule(),
                ),
                egress=(Rule(),),
                place=Place("api", 2),
            ),
        ),
    )


def _newer(part: object) -> object:
    """An object as a later version of the API may have it: with another field in every part."""
    if isinstance(part, list):
        return [_newer(item) for item in part]
    if isinstance(part, dict):
        fields = {key: value if key == "labels" else _newer(value) for key, value in part.items()}
        return {**fields, "later": {"a": [1]}}
    return part


def test_fields_of_later_versions_are_passed_over() -> None:
    """A cluster may be newer than ovsnp, so its objects may have such fields; in a policy they are mistakes."""
    newer = [each if each is POLICY else _newer(each) for each in OBJECTS]
    assert load_objects(newer) == load_objects(OBJECTS)  # type: ignore[arg-type]


def test_fields_that_are_not_read_may_have_any_value() -> None:
    """The address of a node may also have a type that is still unknown."""
    pod = {**POD, "spec": {**POD["spec"], "os": [None], "tolerations": "x"}}  # type: ignore[dict-item]
    addresses = [{"type": "LaterIP", "address": "x"}, *NODE["status"]["addresses"]]  # type: ignore[index]
    node = {**NODE, "status": {"addresses": addresses, "nodeInfo": 5}}
    assert load_objects([node, pod]) == load_objects([NODE, POD])


def test_json_and_yaml_in_any_order(load_text: Load) -> None:
    expected = bare(load_objects(OBJECTS))
    shuffled = [OBJECTS[index] for index in (3, 2, 1, 0)]
    listed = {"apiVersion": "v1", "kind": "List", "items": shuffled, "metadata": {"resourceVersion": ""}}
    nested = {"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "List", "items": OBJECTS}]}
    texts = [
        json.dumps(listed),
        json.dumps(nested, indent=4),
        "".join(json.dumps(item) for item in shuffled),
        "\n\n".join(json.dumps(item, indent="\t") for item in OBJECTS),
        "\ufeff" + json.dumps(listed, indent=1).replace("\n", "\r\n"),
        yaml.safe_dump(listed),
        yaml.safe_dump_all(OBJECTS, explicit_start=True),
        "\ufeff" + yaml.safe_dump_all(shuffled).replace("\n", "\r\n"),
        "---\n# nothing\n---\n" + yaml.safe_dump_all(shuffled) + "---\n",
        "\n---\n".join(json.dumps(item) for item in shuffled),
    ]
    assert bare(load_text(yaml.safe_dump(nested, default_flow_style=True))) == expected
    for text in texts:
        assert bare(load_text(text)) == expected, text[:60]
        assert bare(load_text(text, "in.json")) == expected, text[:60]


def test_typed_lists(load_text: Load) -> None:
    """The lists of the API leave kind and apiVersion out of their items."""
    lists: list[dict[str, object]] = []
    for item in OBJECTS:
        inner = {key: value for key, value in item.items() if key not in ("kind", "apiVersion")}
        lists.append({"apiVersion": item["apiVersion"], "kind": f"{item['kind']}List", "items": [inner]})
    expected = bare(load_objects(OBJECTS))
    assert bare(load_objects(lists)) == expected
    assert bare(load_text("".join(map(json.dumps, lists)))) == expected
    assert bare(load_text(yaml.safe_dump_all(lists))) == expected


def test_places(load_text: Load) -> None:
    listed = {"apiVersion": "v1", "kind": "List", "items": OBJECTS}
    in_list = {"apiVersion": "v1", "kind": "List", "items": [_object("Namespace", "n"), listed]}
    for text in (json.dumps(in_list), yaml.safe_dump(in_list)):
        cluster = load_text(text)
        assert cluster.policies[0].place == Place("in.yaml", 0, (1, 2))
        assert cluster.pods[0].place == Place("in.yaml", 0, (1, 1))


@pytest.mark.parametrize("text", ["", "\n", "---\n", "---\n---\n", "# nothing\n", "\ufeff", "null\n"])
def test_nothing(load_text: Load, text: str) -> None:
    assert load_text(text) == Cluster({}, {}, (), ())


def test_files(directory: Path) -> None:
    (directory / "d/sub").mkdir(parents=True)
    (directory / "d/.hidden").mkdir()
    for name in ("d/b.yaml", "d/a.yml", "d/sub/c.json", "d/skipped.txt", "d/.e.yaml", "d/.hidden/f.yaml", "d/._b.yaml"):
        stem = Path(name).name.replace(".", "")
        (directory / name).write_text(json.dumps(_object("Namespace", stem)))
    cluster = load(["d", "d/b.yaml", "-"], stdin=io.BytesIO(json.dumps(_object("Namespace", "stdin")).encode()))
    assert list(cluster.namespaces) == ["ayml", "byaml", "cjson", "eyaml", "stdin"]


def test_pods_that_do_not_count() -> None:
    address = {"podIP": "10.0.0.1"}
    pods = [
        _object("Pod", "succeeded", status={"phase": "Succeeded", **address}),
        _object("Pod", "failed", status={"phase": "Failed", **address}),
        _object("Pod", "host", spec={"hostNetwork": True}, status=address),
        _object("Pod", "pending", status={"phase": "Pending"}),
        _object("Pod", "no-status"),
        _object("Pod", "null-status", spec=None, status=None),
        _object("Pod", "empty", status={"podIP": "", "podIPs": []}),
        _object("Pod", "holder", status={"phase": "Running", **address}),
    ]
    cluster = load_objects(pods)
    assert [pod.name for pod in cluster.pods] == ["holder"]
    assert [(pod.name, pod.addresses) for pod in cluster.ended_pods] == [("failed", ()), ("succeeded", ())]
    assert cluster.idle == {f"default/{pod['metadata']['name']}" for pod in pods} - {"default/holder"}
    assert cluster.pods[0].node is None


def test_pods_name_their_nodes() -> None:
    """Without Node objects too. A pod that names no node counts on every node."""
    named, unnamed = load_objects([NODE, POD]).pods[0], load_objects([{**POD, "spec": {}}]).pods[0]
    assert named.node == load_objects([POD]).pods[0].node == "n1"
    assert [named.is_on(node) for node in ("n1", "n2", None)] == [True, False, True]
    assert unnamed.node is None
    assert unnamed.is_on("n2")


def test_finished_pods_need_no_node() -> None:
    pod = _object("Pod", "done", spec={"nodeName": "gone"}, status={"phase": "Failed", "podIP": "10.9.9.9"})
    assert load_objects([NODE, pod]).pods == ()


def test_implied_namespaces() -> None:
    policies = [
        {**POLICY, "metadata": {"name": "a", "namespace": "kube-system"}},
        {**POLICY, "metadata": {"name": "a"}},
        {**POLICY, "metadata": {"name": "b", "namespace": "default"}},
    ]
    cluster = load_objects(policies)
    assert list(cluster.namespaces) == ["default", "kube-system"]
    assert cluster.namespaces["kube-system"].labels == {"kubernetes.io/metadata.name": "kube-system"}
    assert [policy.key for policy in cluster.policies] == ["default/a", "default/b", "kube-system/a"]


def test_namespace_keeps_its_name_as_label() -> None:
    namespace = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "n", "labels": {"kubernetes.io/metadata.name": "other", "a": "b"}},
    }
    assert load_objects([namespace]).namespaces["n"].labels == {"kubernetes.io/metadata.name": "n", "a": "b"}


def test_equal_objects_count_once() -> None:
    again = json.loads(json.dumps(OBJECTS))
    for item in again:
        item["metadata"]["resourceVersion"] = "7"
    assert bare(load_objects(OBJECTS + again)) == bare(load_objects(OBJECTS))


def test_passed_over(load_text: Load) -> None:
    others = [
        {"apiVersion": "networking.k8s.io/v1", "kind": "IPAddress", "metadata": {"name": "s"}},
        {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": {"name": 5}},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "items": 5},
        {"apiVersion": "v1", "kind": "ConfigMapList", "items": [{"data": {"a": "b"}}]},
        {"apiVersion": "acme.io/v1", "kind": "Pod", "metadata": {"name": 5}},
    ]
    for text in ("".join(map(json.dumps, others)), yaml.safe_dump_all(others)):
        assert load_text(text) == Cluster({}, {}, (), ())


@pytest.mark.parametrize("version", ["crd.antrea.io/v1beta1", "projectcalico.org/v3"])
def test_ignored_kinds(version: str) -> None:
    foreign = {"apiVersion": version, "kind": "NetworkPolicy", "metadata": {"name": "f"}}
    other = {"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy", "metadata": {"name": "f"}}
    ignored = ["NetworkPolicy", "CiliumNetworkPolicy"]
    cluster = load_objects([foreign, other, POLICY], ignore_kinds=ignored)
    assert [policy.name for policy in cluster.policies] == ["np"]


@pytest.mark.parametrize("version", ["extensions/v1beta1", None])
def test_kubernetes_own_policies_are_not_ignored(version: str | None) -> None:
    """A user who ignores the NetworkPolicy of another system does not mean that of Kubernetes."""
    with pytest.raises(InputError, match=r"write apiVersion: networking\.k8s\.io/v1"):
        load_objects([{**POLICY, "apiVersion": version}], ignore_kinds=["NetworkPolicy"])


@pytest.mark.parametrize(
    "spec", [{}, None, {"podSelector": None}, {"podSelector": {"matchLabels": None}, "ingress": None, "egress": []}]
)
def test_absent_and_null_are_the_same(spec: object) -> None:
    (policy,) = load_objects([{**POLICY, "spec": spec}]).policies
    assert policy.pod_selector == Selector()
    assert (policy.policy_types, policy.ingress, policy.egress) == (frozenset(), (), ())


def test_yaml_notation(load_text: Load) -> None:
    """Dates stay text, anchors and merges work, and quoted numbers are text."""
    text = """\
apiVersion: v1
kind: Pod
metadata:
  name: p
  labels: &labels {date: 2024-01-01, quoted: '80', tagged: !!str 80, "yes": 'on', y: n, hash: 1e3}
status: {podIP: 10.0.0.1}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: np}
spec:
  podSelector: &all {matchLabels: &web {app: web}}
  ingress:
  - from: [{podSelector: *all}, {podSelector: {matchLabels: {<<: *web, tier: front}}}]
    ports: [{port: 0x50}, {port: 0120}, {port: +80}]
"""
    cluster = load_text(text)
    assert cluster.pods[0].labels == {
        "date": "2024-01-01", "quoted": "80", "tagged": "80", "yes": "on", "y": "n", "hash": "1e3",
    }  # fmt: skip
    (rule,) = cluster.policies[0].ingress
    web = Requirement("app", Operator.IN, ("web",))
    front = Requirement("tier", Operator.IN, ("front",))
    assert rule.peers == (PodPeer(Selector((web,)), None), PodPeer(Selector((web, front)), None))
    assert rule.ports == (PortEntry(port=80),) * 3


def test_merged_keys(load_text: Load) -> None:
    """A written key wins over a merged one, and the first merged mapping over the next."""
    text = """\
apiVersion: v1
kind: Namespace
metadata:
  name: n
  annotations: {x: &x {a: x, b: x, c: x}, y: &y {b: y, c: y, d: y}}
  labels: {a: own, <<: [*x, *y]}
"""
    labels = load_text(text).namespaces["n"].labels
    assert labels == {"a": "own", "b": "x", "c": "x", "d": "y", "kubernetes.io/metadata.name": "n"}


def test_sorted() -> None:
    """Sorted by namespace and name, whatever the order of the input."""
    names = ["b", "c-a", "a", "c"]
    pods = [_object("Pod", name, status={"podIP": f"10.0.0.{number}"}) for number, name in enumerate(names)]
    assert [pod.name for pod in load_objects(pods).pods] == ["a", "b", "c", "c-a"]


def test_shared_ports() -> None:
    """Pods with equal ports share them, to save memory with a hundred thousand pods."""
    pods = [_object("Pod", f"p{n}", spec=POD["spec"], status={"podIP": f"10.0.1.{n}"}) for n in (8, 9)]
    first, second = load_objects([NODE, *pods]).pods
    assert first.ports is second.ports
