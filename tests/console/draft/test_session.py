"""Edits of golden cases, one by one: mistakes at their fields, stages, pods, matrix, and drafts that are none."""

from typing import Any

import msgspec
import pytest

from ovsnp.analysis.diff.effect import compare
from ovsnp.analysis.diff.effect.effect_document import document
from ovsnp.console.draft import Deletion, Draft, DraftDocument, DraftSession, Stage
from ovsnp.manifests import load_objects
from ovsnp.model.cluster import Cluster
from ovsnp.oracle.planned import with_planned
from ovsnp.oracle.terms import Terms
from tests.support.golden_cases import CASES, cluster_of, options_of

Object = dict[str, Any]
DEMO = cluster_of("ingress-pod-selector")
OWN = DEMO.policies[0].key


def policy(name: str = "drafted", namespace: str = "default", **spec: Any) -> Object:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"podSelector": {}, **spec},
    }


def remarks(found: DraftDocument) -> list[tuple[str, str]]:
    return [(each.path, each.message) for each in found.mistakes]


@pytest.mark.parametrize("case", CASES)
def test_the_end_of_each_policy_of_a_golden_case(case: str) -> None:
    cluster, options = cluster_of(case), options_of(case)
    terms = Terms(options.strict_nodes, options.service_blocks)
    session = DraftSession(cluster, terms)
    for gone in cluster.policies:
        left = msgspec.structs.replace(cluster, policies=tuple(each for each in cluster.policies if each is not gone))
        answer = session.answer(Deletion(gone.key))
        assert answer.effect == document(compare(*with_planned(cluster, left), terms))
        assert (answer.pods, answer.mistakes) == (None, ())


def test_mistakes_are_the_sentences_of_files_at_their_fields() -> None:
    wrong = policy(
        ingress=[{"ports": [{"port": 0}], "from": [{"ipBlock": {"cidr": "10.0.0.0/33"}}, {}]}], policyTypes=["Outgress"]
    )
    wrong["spec"]["ingres"] = []
    found = DraftSession(DEMO).answer(Draft(wrong))
    assert [path for path, _ in remarks(found)] == [
        "spec.ingres",
        "spec.ingress[0].from[0].ipBlock.cidr",
        "spec.ingress[0].from[1]",
        "spec.ingress[0].ports[0].port",
        "spec.policyTypes[0]",
    ]
    assert "'Outgress' is no policy type; write Ingress or Egress" in [message for _, message in remarks(found)]
    assert (found.next, found.pods, found.effect, found.lint, found.matrix) == (None,) * 5


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, 3, "text", [], [policy()], {}, {"kind": "NetworkPolicy"}, {"kind": 3}, {"kind": "Pod"}),
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}},
        {"resources": ["a.yaml"]},
        {"apiVersion": "v1", "kind": "List", "items": [policy("a"), policy("b")]},
        {"apiVersion": "v1", "kind": "List", "items": [policy("a")]},
        policy(name="{{ name }}"),
        policy(name=""),
    ],
    ids=str,
)
def test_what_is_no_policy_is_told_in_sentences(value: object) -> None:
    found = DraftSession(DEMO).answer(Draft(value))
    assert found.mistakes
    assert all(len(each.message) > 10 for each in found.mistakes)
    assert found.effect is None


def test_a_draft_nested_without_end_is_a_mistake() -> None:
    deep: Any = {}
    for _ in range(3000):
        deep = {"matchLabels": deep}
    assert DraftSession(DEMO).answer(Draft(policy(podSelector=deep))).mistakes


def test_names_that_are_taken_or_gone() -> None:
    session = DraftSession(DEMO)
    name = OWN.partition("/")[2]
    taken = "there is a NetworkPolicy default/access-demo1 already; edit that one, or choose another name"
    assert remarks(session.answer(Draft(policy(name)))) == [("metadata.name", taken.replace("access-demo1", name))]
    assert remarks(session.answer(Draft(policy(name), OWN))) == []
    assert remarks(session.answer(Draft(policy("other"), OWN))) == []
    gone = "there is no NetworkPolicy default/none any more; somebody has removed it"
    assert remarks(session.answer(Deletion("default/none"))) == [("", gone)]
    assert remarks(session.answer(Draft(policy(), "default/none"))) == [("", gone)]


def test_stages_come_in_order_and_fill_the_answer() -> None:
    seen = [*DraftSession(DEMO).stages(Draft(policy()))]
    assert [each.next for each in seen] == [Stage.PODS, Stage.EFFECT, Stage.LINT, Stage.MATRIX, None]
    parts = [[name for name in ("pods", "effect", "lint", "matrix") if getattr(each, name)] for each in seen]
    assert parts == [[], ["pods"], ["pods", "effect"], ["pods", "effect", "lint"], ["pods", "effect", "lint", "matrix"]]


class SupersededError(Exception):
    """A newer draft has come."""


@pytest.mark.parametrize("calls", range(1, 8))
def test_work_that_is_not_wanted_any_more_ends(calls: int) -> None:
    asked = 0

    def alive() -> None:
        nonlocal asked
        asked += 1
        if asked == calls:
            raise SupersededError

    session = DraftSession(DEMO)
    with pytest.raises(SupersededError):
        list(session.stages(Draft(policy(ingress=[])), alive))
    assert asked == calls
    assert session.answer(Draft(policy(ingress=[]))) == DraftSession(DEMO).answer(Draft(policy(ingress=[])))


def test_a_namespace_that_the_snapshot_lacks_is_noted_and_selects_nothing() -> None:
    found = DraftSession(DEMO).answer(Draft(policy(namespace="unheard-of")))
    assert [each.path for each in found.notes] == ["metadata.namespace"]
    assert found.pods is not None
    assert found.effect is not None
    assert found.lint is not None
    assert (found.pods.count, found.effect.differences) == (0, False)
    assert "selects-nothing" in [each.check for each in found.lint.brought]


def test_the_matrix_has_the_cells_that_change() -> None:
    found = DraftSession(without_policies(DEMO)).answer(Draft(policy(policyTypes=["Ingress"])))
    assert found.matrix is not None
    changed = {
        (found.matrix.rows[each.row], found.matrix.columns[each.column]): (each.before, each.after)
        for each in found.matrix.cells
        if each.changed
    }
    assert len(changed) == found.matrix.changed
    assert set(changed.values()) == {("all", "none")}
    assert all(column.startswith("default/") for _, column in changed)
    assert {row.partition("/")[0] for row, _ in changed} >= {"default", "outside"}


def test_all_namespaces_and_workloads_of_a_large_matrix_are_counted() -> None:
    session = DraftSession(load_objects(many(60)))
    found = session.answer(Draft(policy(policyTypes=["Ingress"])))
    assert found.matrix is not None
    assert (len(found.matrix.rows), len(found.matrix.columns)) == (40, 40)
    # 60 workloads and addresses outside send to 60 workloads; a workload of one pod reaches itself.
    assert found.matrix.changed == 61 * 60 - 60
    assert (found.matrix.rows_left_out, found.matrix.columns_left_out) == (21, 20)


def test_a_thousand_rules() -> None:
    rules = [
        {"from": [{"ipBlock": {"cidr": f"10.{each // 250}.{each % 250}.0/24"}}], "ports": [{"port": 8000 + each % 2}]}
        for each in range(1000)
    ]
    found = DraftSession(DEMO).answer(Draft(policy(ingress=rules)))
    assert remarks(found) == []
    assert found.effect is not None
    assert found.effect.differences


def test_planned_pods_get_addresses_of_the_families_that_a_draft_brings() -> None:
    objects = [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name},
            "spec": {"template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "main"}]}}},
        }
        for name in ("cart", "shop")
    ]
    before = load_objects(objects)
    draft = policy(policyTypes=["Ingress"], ingress=[{"from": [{"ipBlock": {"cidr": "2001:db8::/32"}}]}])
    after = load_objects([*objects, draft])
    session = DraftSession(before)
    for _ in range(2):
        found = session.answer(Draft(draft))
        assert found.effect == document(compare(*with_planned(before, after), Terms()))
        assert found.pods is not None
        assert list(found.pods.names) == ["deployment/default/cart", "deployment/default/shop"]
        assert [each.name for each in found.pods.workloads] == ["default/cart", "default/shop"]
    families = {family for line in found.effect.lost for family in line.families}
    assert families == {4, 6}
    four = policy(policyTypes=["Ingress"], ingress=[{"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}])
    assert session.answer(Draft(four)).effect == document(
        compare(*with_planned(before, load_objects([*objects, four])), Terms())
    )


def test_a_block_that_may_hold_planned_pods_is_noted() -> None:
    session = DraftSession(load_objects(PLANNED))
    for cidr, expected in (("10.0.0.0/8", ["spec.ingress[0].from[0].ipBlock"]), ("0.0.0.0/0", [])):
        found = session.answer(Draft(policy(ingress=[{"from": [{"ipBlock": {"cidr": cidr}}]}])))
        assert [each.path for each in found.notes] == expected


PLANNED: list[Object] = [
    {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "cart"},
        "spec": {"template": {"metadata": {"labels": {"app": "cart"}}, "spec": {"containers": [{"name": "main"}]}}},
    }
]


def without_policies(cluster: Cluster) -> Cluster:
    return msgspec.structs.replace(cluster, policies=())


def many(count: int) -> list[Object]:
    """Pods with different labels on one node."""
    return [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": f"pod-{each:03}", "labels": {"app": f"app-{each:03}"}},
            "spec": {"nodeName": "node-1", "containers": [{"name": "main"}]},
            "status": {"phase": "Running", "podIPs": [{"ip": f"10.20.1.{each + 2}"}]},
        }
        for each in range(count)
    ]
