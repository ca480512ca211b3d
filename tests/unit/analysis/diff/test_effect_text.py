"""`diff --effect` on changes made by hand: the lines are few, and in a reviewer's words."""

from pathlib import Path

import pytest

from ovsnp.analysis.diff.effect import compare
from ovsnp.analysis.diff.effect.effect_text import text_lines
from ovsnp.manifests import load
from ovsnp.oracle.terms import Terms
from tests.support.checkout import ROOT

CLUSTER = str(ROOT / "tests" / "golden" / "cluster.yaml")

DENY = """
kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {name: deny, namespace: default}
spec: {podSelector: {}, policyTypes: [Ingress]}
---
"""


def ingress(name: str, to: str, rules: str, namespace: str = "default") -> str:
    """A policy for the pods with a role, with ``rules`` as its text."""
    return f"""
kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  podSelector: {{matchLabels: {{role: {to}}}}}
  ingress: [{rules}]
---
"""


def egress(name: str, of: str, rules: str) -> str:
    return ingress(name, of, rules).replace("  ingress:", "  policyTypes: [Egress]\n  egress:")


FRONTENDS = "{from: [{podSelector: {matchLabels: {role: frontend}}}], ports: [{port: 6379}]}"
FRONTENDS_ANYWHERE = FRONTENDS.replace("{podSelector", "{namespaceSelector: {}, podSelector")
MY_PROJECT = "{from: [{namespaceSelector: {matchLabels: {project: myproject}}}], ports: [{port: 80, endPort: 90}]}"
BLOCK = "{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16, 10.2.0.0/16]}}]}"
WEB = """
kind: Service
apiVersion: v1
metadata: {namespace: default, name: web}
spec: {clusterIP: 10.96.0.10, selector: {role: web}, ports: [{port: PORT, targetPort: 8080}]}
---
"""
NEWCOMER = """
kind: Pod
apiVersion: v1
metadata: {namespace: default, name: newcomer-NUMBER, labels: {role: frontend}}
spec: {nodeName: node-1, containers: [{name: main}]}
status: {phase: Running, podIPs: [{ip: "10.20.1.2NUMBER"}]}
---
"""

OTHER = NEWCOMER.replace("newcomer-NUMBER", "other").replace("frontend", "web").replace("NUMBER", "1")

CASES = {
    "the same": (DENY, DENY, []),
    "a name, which nobody is told by": (DENY, DENY.replace("deny", "denied"), []),
    "a policy that isolates, and admits": (
        "",
        ingress("db", "db", FRONTENDS),
        [
            "- outside and all pods but default/role=frontend -> default/role=db  all traffic"
            "   (isolated for ingress by default/db)",
            "- default/role=frontend -> default/role=db  all but 6379/tcp   (isolated for ingress by default/db)",
        ],
    ),
    "a default deny": (
        DENY,
        "",
        ["+ everyone -> default/*  all traffic   (no longer isolated for ingress by default/deny)"],
    ),
    "a rule more": (
        DENY,
        DENY + ingress("db", "db", FRONTENDS),
        ["+ default/role=frontend -> default/role=db  6379/tcp   (default/db ingress[0])"],
    ),
    "the same from every namespace": (
        DENY + ingress("db", "db", FRONTENDS),
        DENY + ingress("db", "db", FRONTENDS_ANYWHERE),
        ["+ myproject/* -> default/role=db  6379/tcp   (default/db ingress[0])"],
    ),
    "frontends of all namespaces": (
        DENY,
        DENY + ingress("db", "db", FRONTENDS_ANYWHERE),
        ["+ */role=frontend -> default/role=db  6379/tcp   (default/db ingress[0])"],
    ),
    "another port": (
        DENY + ingress("db", "db", FRONTENDS),
        DENY + ingress("db", "db", FRONTENDS.replace("6379", "6380")),
        [
            "+ default/role=frontend -> default/role=db  6380/tcp   (default/db ingress[0])",
            "- default/role=frontend -> default/role=db  6379/tcp   (no longer default/db ingress[0])",
        ],
    ),
    "a range of ports, to two roles": (
        DENY,
        DENY + ingress("db", "db", MY_PROJECT) + ingress("web", "web", MY_PROJECT),
        ["+ myproject/* -> default/role in (db,web)  80-90/tcp   (default/db ingress[0], default/web ingress[0])"],
    ),
    "a rule that another one holds, too": (
        DENY + ingress("db", "db", FRONTENDS_ANYWHERE),
        DENY + ingress("db", "db", f"{FRONTENDS_ANYWHERE}, {FRONTENDS}"),
        [],
    ),
    "egress to a block with exceptions": (
        egress("out", "web", ""),
        egress("out", "web", BLOCK),
        [
            "+ default/role=web -> all pods, 10.0.0.0/8 (except 10.1.0.0/16, 10.2.0.0/16)  all traffic"
            "   (default/out egress[0])",
        ],
    ),
    "a Service that comes": (
        "",
        WEB.replace("PORT", "80"),
        ["+ all pods -> svc/default/web  80/tcp   (served by default/role=web 8080/tcp)"],
    ),
    "a Service's port, where policies have a say": (
        DENY + ingress("web", "web", FRONTENDS.replace("6379", "8080")) + WEB.replace("PORT", "80"),
        DENY + ingress("web", "web", FRONTENDS.replace("6379", "8080")) + WEB.replace("PORT", "81"),
        [
            "+ default/role=frontend -> svc/default/web  81/tcp   (served by default/role=web 8080/tcp)",
            "- default/role=frontend -> svc/default/web  80/tcp   (served by default/role=web 8080/tcp)",
        ],
    ),
    "what a policy forbids a pod of itself it still has, but not through its Service": (
        WEB.replace("PORT", "80"),
        WEB.replace("PORT", "80") + ingress("web", "web", ""),
        [
            "- everyone -> default/role=web  all traffic   (isolated for ingress by default/web)",
            "- default/role=web -> svc/default/web  80/tcp   (served by itself)",
        ],
    ),
    "pods that come": (
        DENY,
        DENY + NEWCOMER.replace("NUMBER", "1") + NEWCOMER.replace("NUMBER", "2"),
        ["  new pods: default/newcomer-1, default/newcomer-2 (2)"],
    ),
    "a pod that gets another one's address": (
        DENY + ingress("db", "db", FRONTENDS) + NEWCOMER.replace("NUMBER", "1"),
        DENY + ingress("db", "db", FRONTENDS) + OTHER,
        ["  new pods: default/other", "  pods gone: default/newcomer-1"],
    ),
    "a pod with another address": (
        NEWCOMER.replace("NUMBER", "1"),
        NEWCOMER.replace("NUMBER", "1").replace("10.20.1.21", "10.20.1.22"),
        ["  pods with another address: default/newcomer-1"],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_lines_are_few_and_say_it(name: str, tmp_path: Path) -> None:
    before, after, expected = CASES[name]
    assert told(tmp_path, before, after) == expected


def told(directory: Path, before: str, after: str, terms: Terms | None = None) -> list[str]:
    """The lines about the difference between the cluster with ``before`` and the cluster with ``after``."""
    clusters = []
    for side, text in (("old", before), ("new", after)):
        (directory / f"{side}.yaml").write_text(text)
        clusters.append(load([CLUSTER, str(directory / f"{side}.yaml")]))
    return [text for _, text in text_lines(compare(clusters[0], clusters[1], terms or Terms()))]


def test_pods_are_not_told_by_labels_that_controllers_make_up(tmp_path: Path) -> None:
    pods = "".join(
        NEWCOMER.replace("NUMBER", number).replace("role: frontend", f"role: new, pod-template-hash: h{number}")
        for number in "12"
    )
    after = ingress("new", "new", "") + pods
    assert told(tmp_path, pods, after)[0].split("   ")[0] == "- everyone -> default/role=new  all traffic"
    one = after.replace("{role: new}", "{pod-template-hash: h1}")
    assert told(tmp_path, pods, one)[0].split("   ")[0] == "- everyone -> default/newcomer-1  all traffic"


def test_families_are_told_where_they_differ(tmp_path: Path) -> None:
    (tmp_path / "none.yaml").write_text("")
    case = ROOT / "tests" / "golden" / "dual-stack"
    sides = [load([str(case / "cluster.yaml"), str(file)]) for file in (tmp_path / "none.yaml", case / "policies.yaml")]
    lines = [text.split("   (")[0] for _, text in text_lines(compare(sides[0], sides[1], Terms()))]
    assert lines == [
        "- default/role=db -> all pods, 0.0.0.0/0 (except 172.16.0.0/16)  all traffic  IPv4",
        "- outside -> default/role=db  all traffic",
        "- default/role=frontend -> default/role=db  all but 6379/tcp",
        "- default/role=db -> all pods, ::/0 (except 2001:db8::/32), 2001:db8:1::/48  all traffic  IPv6",
    ]


def test_nodes_are_told_where_they_are_judged(tmp_path: Path) -> None:
    after = ingress("db", "db", "")
    assert "nodes" not in told(tmp_path, "", after)[0]
    assert told(tmp_path, "", after, Terms(strict_nodes=True)) == [
        "- everyone -> default/role=db  all traffic   (isolated for ingress by default/db)"
    ]
    from_node = ingress("db", "db", "{from: [{ipBlock: {cidr: 192.168.50.2/32}}]}")
    assert told(tmp_path, after, from_node, Terms(strict_nodes=True)) == [
        "+ node/node-2 at 192.168.50.2 -> default/role=db  all traffic   (default/db ingress[0])"
    ]


def test_blocks_of_cluster_ips_are_told_with_service_blocks(tmp_path: Path) -> None:
    before = egress("out", "frontend", "") + WEB.replace("PORT", "80")
    rule = "{to: [{ipBlock: {cidr: 10.96.0.0/16}}], ports: [{port: 80}]}"
    after = egress("out", "frontend", rule) + WEB.replace("PORT", "80")
    direct = "+ default/role=frontend -> 10.96.0.0/16  80/tcp   (default/out egress[0])"
    assert told(tmp_path, before, after) == [direct]
    assert told(tmp_path, before, after, Terms(service_blocks=True)) == [
        direct,
        "+ default/role=frontend -> svc/default/web  80/tcp   (served by default/role=web 8080/tcp)",
    ]
