"""A policy may name namespaces, DNS servers and pods of controllers that the input does not have: no mistake."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.applying import ovsnp

NAMESPACE = """
---
apiVersion: v1
kind: Namespace
metadata: {name: NAME, labels: {LABELS}}
"""
WORKLOAD = """
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME, namespace: SPACE}
spec: {template: {metadata: {labels: {app: NAME}}, spec: {hostNetwork: HOST, containers: [{name: main}]}}}
"""
POLICY = """
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: cart, namespace: SPACE}
spec:
  podSelector: SELECTOR
  policyTypes: [Egress]
  egress:
    - to: [PEER]
"""
NAME = "kubernetes.io/metadata.name"
DNS = "podSelector: {matchLabels: {k8s-app: kube-dns}}"


def namespace(name: str, labels: str = "") -> str:
    return NAMESPACE.replace("NAME", name).replace("LABELS", labels)


def workload(space: str, name: str, host: str = "false") -> str:
    return WORKLOAD.replace("NAME", name).replace("SPACE", space).replace("HOST", host)


def policy(peer: str, selector: str = "{}", space: str = "shop") -> str:
    return POLICY.replace("SPACE", space).replace("SELECTOR", selector).replace("PEER", peer)


def by_name(*names: str) -> str:
    """A namespaceSelector that requires one of these names."""
    return f"namespaceSelector: {{matchExpressions: [{{key: {NAME}, operator: In, values: [{', '.join(names)}]}}]}}"


SHOP = namespace("shop", "team: green") + workload("shop", "cart")
SOMEONE = "{podSelector: {}}"


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """A function that returns the severity and message of each finding of a check, without the object."""
    monkeypatch.chdir(tmp_path)

    def found(check: str, *parts: str) -> list[str]:
        Path("all.yaml").write_text("".join(parts))
        lines = ovsnp("lint", "-f", "all.yaml", "--select", check).out.splitlines()
        return [f"{line.split(': ')[1]}: {line.split(': ', 4)[4]}" for line in lines]

    return found


def peer(found: Callable[..., list[str]], *parts: str) -> str:
    """The one finding about a peer."""
    (finding,) = found("peer-matches-nothing", *parts)
    return finding


@pytest.mark.parametrize(
    ("selector", "pods"),
    [
        (by_name("kube-system"), DNS),
        (f"namespaceSelector: {{matchLabels: {{{NAME}: kube-system}}}}", ""),
        (f"namespaceSelector: {{matchLabels: {{{NAME}: kube-system, team: blue}}}}", "podSelector: {}"),
        (by_name("kube-system", "shop"), "podSelector: {matchLabels: {app: prometheus}}"),
    ],
)
def test_namespace_that_is_not_in_the_input_is_a_notice(
    found: Callable[..., list[str]], selector: str, pods: str
) -> None:
    both = ", ".join(filter(None, (selector, pods)))
    assert peer(found, SHOP, policy(f"{{{both}}}")) == (
        "notice: the input has no Namespace kube-system, so lint cannot tell whom the peer admits; "
        "add the Namespace and its pods if they are to be judged"
    )


def test_all_namespaces_that_are_not_in_the_input_are_named_and_one_with_such_pods_is_enough(
    found: Callable[..., list[str]],
) -> None:
    said = peer(found, SHOP, policy(f"{{{by_name('ingress-nginx', 'monitoring')}}}"))
    assert said == (
        "notice: the input has no Namespaces ingress-nginx and monitoring, so lint cannot tell whom the peer admits; "
        "add the Namespaces and their pods if they are to be judged"
    )
    assert not found("peer-matches-nothing", SHOP, policy(f"{{{by_name('kube-system', 'shop')}}}"))


def test_name_that_is_like_another_one_may_be_misspelt(found: Callable[..., list[str]]) -> None:
    said = peer(found, SHOP, policy(f"{{{by_name('shpo')}}}"))
    assert said.startswith("notice: the input has no Namespace shpo (did you mean shop?), so lint cannot tell ")


def test_name_that_other_requirements_exclude_is_not_missed(found: Callable[..., list[str]]) -> None:
    requirements = (
        f"{{key: {NAME}, operator: In, values: [gone, shop]}}, {{key: {NAME}, operator: NotIn, values: [gone]}}"
    )
    text = policy(f"{{namespaceSelector: {{matchExpressions: [{requirements}]}}, {DNS.replace('kube-dns', 'web')}}}")
    assert peer(found, SHOP, text).startswith("warning: no pod of the namespaces with ")


def test_namespace_that_is_there_without_the_labels_is_a_warning(found: Callable[..., list[str]]) -> None:
    text = policy(f"{{namespaceSelector: {{matchLabels: {{{NAME}: shop, team: blue}}}}}}")
    assert peer(found, SHOP, text).startswith(f"warning: no namespace has {NAME}=shop,team=blue (team is green), so ")


def test_labels_of_a_namespace_without_an_object_are_not_known(found: Callable[..., list[str]]) -> None:
    text = policy("{namespaceSelector: {matchLabels: {name: shop}}}")
    assert peer(found, workload("shop", "cart"), text) == (
        "notice: no Namespace of the input has name=shop, but the labels of shop are not known, so lint cannot tell "
        "whom the peer admits; correct the labels, or add the Namespace that has them"
    )
    assert peer(found, SHOP, text).startswith("warning: no namespace has name=shop (no namespace has a label name)")


def test_namespace_that_its_name_excludes_has_no_labels_to_know(found: Callable[..., list[str]]) -> None:
    text = policy(f"{{namespaceSelector: {{matchLabels: {{{NAME}: shop, team: blue}}}}}}")
    assert peer(found, SHOP, workload("other", "cart"), text).startswith("warning: ")


def test_namespaces_that_every_cluster_has_are_known(found: Callable[..., list[str]]) -> None:
    """The objects of these namespaces are hardly ever in Git: unknown labels of these would hide mistakes."""
    text = policy("{namespaceSelector: {matchLabels: {team: gren}}}")
    assert peer(found, SHOP, workload("default", "web"), workload("kube-system", "proxy"), text).startswith("warning: ")


@pytest.mark.parametrize("host", ["false", "true"])
@pytest.mark.parametrize("pods", ["", ", podSelector: {matchLabels: {app: web}}"])
def test_namespace_without_pods_to_select_is_a_notice(found: Callable[..., list[str]], pods: str, host: str) -> None:
    new = namespace("new") + (workload("new", "proxy", host) if host == "true" else "")
    said = peer(found, SHOP, new, policy(f"{{{by_name('new')}{pods}}}"))
    if host == "false":
        assert said == (
            "notice: the input has no pods in new, so the peer admits nobody; "
            "correct the namespace, unless its pods are still to come"
        )
    elif pods:
        assert said.startswith("notice: all pods in new are in the network of their node (hostNetwork), so the peer ")
    else:
        assert "write an ipBlock" in said


@pytest.mark.parametrize("selector", ["{}", "{matchLabels: {app: web}}"])
def test_policy_in_a_namespace_without_pods_is_a_notice(found: Callable[..., list[str]], selector: str) -> None:
    assert found("selects-nothing", SHOP, policy(SOMEONE, selector, "new")) == [
        "notice: the input has no pods in new, so the policy protects nothing; "
        "correct the namespace, unless its pods are still to come"
    ]


DNS_NOTICE = (
    "notice: the input has no DNS servers, so lint cannot tell whom the peer admits; "
    "add their pods if they are to be judged"
)


@pytest.mark.parametrize("labels", ["k8s-app: kube-dns", "app.kubernetes.io/name: coredns"])
@pytest.mark.parametrize("spaces", ["{}", "{matchLabels: {name: kube-system}}", f"{{matchLabels: {{{NAME}: system}}}}"])
def test_dns_servers_that_are_not_in_the_input_are_a_notice(
    found: Callable[..., list[str]], labels: str, spaces: str
) -> None:
    text = policy(f"{{namespaceSelector: {spaces}, podSelector: {{matchLabels: {{{labels}}}}}}}")
    assert peer(found, SHOP, namespace("system"), workload("system", "metrics"), text) == DNS_NOTICE


def test_dns_servers_of_the_own_namespace_are_those_of_the_system(found: Callable[..., list[str]]) -> None:
    others = SHOP + workload("kube-system", "metrics")
    assert peer(found, others, policy(f"{{{DNS}}}", space="kube-system")) == DNS_NOTICE
    assert peer(found, others, policy(f"{{{DNS}}}")).startswith("warning: no pod of shop has k8s-app=kube-dns")


def test_dns_servers_with_other_labels_are_a_warning(found: Callable[..., list[str]]) -> None:
    servers = workload("kube-system", "dns").replace("app: dns", "k8s-app: kube-dns")
    text = policy("{namespaceSelector: {}, podSelector: {matchLabels: {k8s-app: coredns}}}")
    assert peer(found, SHOP, servers, text).startswith("warning: no pod of all namespaces has k8s-app=coredns")


def test_rule_that_egress_without_dns_asks_for_fails_nothing(found: Callable[..., list[str]]) -> None:
    text = SHOP + policy(f"{{{by_name('kube-system')}, {DNS}}}")
    ports = "      ports: [{port: 53, protocol: UDP}, {port: 53}]\n"
    assert not found("egress-without-dns", text, ports)
    assert ovsnp("lint", "-f", "all.yaml").code == 0


LIVING = """
---
apiVersion: v1
kind: Pod
metadata: {name: living, namespace: shop, labels: {app: cart}}
spec: {containers: [{name: main}]}
status: {phase: Running, podIP: 10.20.1.10}
"""
ON_HOST = LIVING.replace("{containers", "{hostNetwork: true, containers")
ENDED = LIVING.replace("Running", "Succeeded")
MISTAKES = (
    ("selects-nothing", policy(SOMEONE, "{matchLabels: {app: prometheus}}"), "policy", "a controller", "pods"),
    ("peer-matches-nothing", policy("{podSelector: {matchLabels: {app: x}}}"), "peer", "a controller", "pods"),
    ("peer-matches-nothing", policy("{namespaceSelector: {matchLabels: {team: x}}}"), "peer", "a namespace", "labels"),
)


@pytest.mark.parametrize(("check", "text", "whole", "outside", "has"), MISTAKES)
def test_without_living_pods_others_may_make_what_is_selected(
    found: Callable[..., list[str]], check: str, text: str, whole: str, outside: str, has: str
) -> None:
    correct = f"; correct the labels, or remove the {whole}"
    (said,) = found(check, SHOP, text)
    unless = f", unless {outside} that is not in the input {'makes' if has == 'pods' else 'has'} such {has}"
    assert said.startswith("warning: ")
    assert said.endswith(f"{correct}{unless}")
    for living in (LIVING, ON_HOST, ENDED):
        (said,) = found(check, SHOP, living, text)
        assert said.startswith("warning: ")
        assert said.endswith(correct)
