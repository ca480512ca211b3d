"""Which pods and Services count as DNS servers, and which rules let pods ask them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.applying import CLUSTER, Answer, ovsnp, policy

HERE = Path(__file__).parent
CLEAN = policy("to-db", 80) + "  egress: [{}]\n"
SERVERS = """
---
apiVersion: v1
kind: Pod
metadata: {namespace: NAMESPACE, name: dns-0, labels: {KEY: VALUE}}
spec:
  nodeName: node-2
  containers:
    - name: main
      ports: [{name: dns, protocol: UDP, containerPort: 5353}, {name: dns-tcp, containerPort: 5353}]
status: {phase: Running, podIPs: [{ip: "10.20.2.20"}]}
"""
SERVICE = """
---
apiVersion: v1
kind: Service
metadata: {namespace: NAMESPACE, name: NAME}
spec:
  clusterIPs: ["10.96.0.10"]
  selector: {KEY: VALUE}
  ports: [{name: dns, protocol: UDP, port: 53, targetPort: dns}, {name: dns-tcp, port: 53, targetPort: dns-tcp}]
"""
NODE_CACHE = """
---
apiVersion: v1
kind: Pod
metadata: {namespace: kube-system, name: cache-0, labels: {k8s-app: node-local-dns}}
spec: {nodeName: node-1, hostNetwork: true, containers: [{name: main}]}
status: {phase: Running, podIP: "192.168.50.1"}
"""
HOST_NETWORK = "spec:\n  nodeName: node-2\n  hostNetwork: true"
UPSTREAM = ("kube-system", "kube-dns", "k8s-app", "kube-dns")


def filled(text: str, namespace: str, name: str, key: str, value: str) -> str:
    for word, given in (("NAMESPACE", namespace), ("NAME", name), ("KEY", key), ("VALUE", value)):
        text = text.replace(word, given)
    return text


@pytest.fixture
def asking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[dict[str, str]]]:
    """A function that returns the findings of egress-without-dns for pods with an egress rule, beside DNS servers."""
    monkeypatch.chdir(tmp_path)

    def asking(servers: str, rule: str, *options: str) -> list[dict[str, str]]:
        Path("all.yaml").write_text(f"{CLUSTER}{servers}\n---{CLEAN.replace('egress: [{}]', f'egress: [{rule}]')}")
        answer = ovsnp("lint", "-f", "all.yaml", "--select", "egress-without-dns", "-o", "json", *options)
        assert answer.code in (0, 1), answer.err
        found: list[dict[str, str]] = json.loads(answer.out)["findings"]
        return found

    return asking


def to_servers(port: int) -> str:
    return f"{{to: [{{namespaceSelector: {{}}}}], ports: [{{port: {port}, protocol: UDP}}, {{port: {port}}}]}}"


@pytest.mark.parametrize(
    "names",
    [
        UPSTREAM,
        ("kube-system", "coredns", "app", "coredns"),
        ("kube-system", "rke2-coredns", "app.kubernetes.io/name", "coredns"),
        ("openshift-dns", "dns-default", "dns.operator.openshift.io/daemonset-dns", "default"),
        ("infra", "resolver", "k8s-app", "coredns"),
    ],
    ids=lambda names: "/".join(names[:2]),
)
def test_port_is_that_of_the_pods_behind_the_service(
    asking: Callable[..., list[dict[str, str]]], names: tuple[str, str, str, str]
) -> None:
    servers = filled(SERVERS + SERVICE, *names)
    (finding,) = asking(servers, to_servers(53))
    assert finding["message"] == (
        "default/db cannot resolve names: no egress rule of default/to-db admits 5353/UDP to the DNS servers"
    )
    assert finding["remedy"] == (
        f"add an egress rule to the DNS servers ({names[2]}={names[3]} in {names[0]}) with port 5353 of UDP and TCP:"
        " a policy sees the port of the pods, not port 53 of the Service"
    )
    assert asking(servers, to_servers(5353)) == []


def test_service_for_something_else_is_no_dns(asking: Callable[..., list[dict[str, str]]]) -> None:
    assert asking(filled(SERVERS + SERVICE, "infra", "resolver", "app", "resolver"), to_servers(53)) == []


def test_pods_with_the_label_are_asked_at_the_port_that_they_call_dns(
    asking: Callable[..., list[dict[str, str]]],
) -> None:
    servers = filled(SERVERS, *UPSTREAM)
    assert "5353/UDP" in asking(servers, to_servers(53))[0]["message"]
    assert asking(servers, to_servers(5353)) == []


def test_protocol_over_which_no_server_answers_is_not_missed(asking: Callable[..., list[dict[str, str]]]) -> None:
    service = SERVICE.replace(", {name: dns-tcp, port: 53, targetPort: dns-tcp}", "")
    servers = filled(SERVERS + service, *UPSTREAM)
    assert asking(servers, "{to: [{namespaceSelector: {}}], ports: [{port: 5353, protocol: UDP}]}") == []
    assert "with port 5353 of UDP: " in asking(servers, to_servers(53))[0]["remedy"]


def test_servers_in_the_network_of_their_node_are_named_by_its_address(
    asking: Callable[..., list[dict[str, str]]],
) -> None:
    servers = filled(SERVERS + SERVICE, *UPSTREAM).replace("spec:\n  nodeName: node-2", HOST_NETWORK)
    servers = servers.replace("10.20.2.20", "192.168.50.2")
    assert asking(servers, to_servers(5353)) == []
    (finding,) = asking(servers, to_servers(5353), "--strict-nodes")
    assert finding["remedy"].startswith("add an egress rule to the DNS servers (ipBlock 192.168.50.2/32) with port 53")


def test_servers_over_another_family_are_none(asking: Callable[..., list[dict[str, str]]]) -> None:
    servers = filled(SERVERS + SERVICE, *UPSTREAM)
    assert asking(servers, '{to: [{ipBlock: {cidr: "::/0"}}]}')
    assert asking(servers, '{to: [{ipBlock: {cidr: "10.20.0.0/16"}}]}') == []


def test_cache_of_the_node_is_a_server_where_the_input_has_it(asking: Callable[..., list[dict[str, str]]]) -> None:
    wide = '{to: [{ipBlock: {cidr: "0.0.0.0/0", except: [10.0.0.0/8]}}]}'
    servers = filled(SERVERS + SERVICE, *UPSTREAM)
    assert "cache of the node" not in asking(servers, wide)[0]["remedy"]
    assert asking(servers + NODE_CACHE, wide) == []
    (finding,) = asking(servers + NODE_CACHE, to_servers(53))
    assert finding["remedy"].endswith("or one to the cache of the node (ipBlock 169.254.20.10/32) with port 53")


def test_cache_alone_tells_nothing_of_the_servers(asking: Callable[..., list[dict[str, str]]]) -> None:
    assert asking(NODE_CACHE, to_servers(53)) == []
    assert asking(NODE_CACHE, to_servers(80))


def test_rule_to_a_link_local_block_is_for_a_cache(asking: Callable[..., list[dict[str, str]]]) -> None:
    servers = filled(SERVERS + SERVICE, *UPSTREAM)
    assert asking(servers, '{to: [{ipBlock: {cidr: "169.254.20.10/32"}}]}') == []
    assert asking(servers, '{to: [{ipBlock: {cidr: "169.254.20.10/32"}}], ports: [{port: 80}]}')


def test_without_dns_servers_any_peer_will_do(lint: Callable[..., Answer]) -> None:
    def egress(rule: str) -> str:
        return lint(CLEAN.replace("egress: [{}]", f"egress: [{rule}]"), "--select", "egress-without-dns").out

    assert "cannot resolve names: no egress rule of default/to-db admits 53/UDP to anyone" in egress(
        "{ports: [{port: 80}]}"
    )
    assert "too long for UDP" in egress("{ports: [{port: 53, protocol: UDP}]}")
    assert egress("{ports: [{port: 53, protocol: UDP}, {port: 53}]}") == ""
    assert egress("{ports: [{port: dns, protocol: UDP}, {port: dns}]}") == ""
    assert egress("{to: [{podSelector: {}}]}") == ""
    assert egress("{to: [{namespaceSelector: {}}], ports: [{port: 5353, protocol: UDP}, {port: 5353}]}") == ""


def test_dns_servers_outside_of_the_cluster_will_do(tmp_path: Path) -> None:
    def found(rule: str) -> str:
        (tmp_path / "policy.yaml").write_text(CLEAN.replace("egress: [{}]", f"egress: [{rule}]"))
        answer = ovsnp("lint", "-f", HERE / "cluster.yaml", "-f", tmp_path, "--select", "egress-without-dns")
        return answer.out

    block = "to: [{ipBlock: {cidr: 203.0.113.53/32}}]"
    assert found(f"{{{block}, ports: [{{port: 53, protocol: UDP}}, {{port: 53}}]}}") == ""
    assert "cannot resolve names" in found(f"{{{block}}}")
