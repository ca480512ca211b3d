"""Which policies isolate which pods in which direction, and how both sides combine (docs/semantics.md)."""

import itertools

import pytest

from ovsnp.model.policy import Direction, NetworkPolicy, Rule
from ovsnp.model.ports import PortEntry
from ovsnp.model.selector import Operator
from ovsnp.oracle import Side
from tests.support.model_objects import allowed, block, cluster, expressed, labelled, pod, pods, policy, tcp, verdict

A, B = "10.0.0.2", "10.0.0.3"
PODS = (pod("default/a", A, app="a"), pod("default/b", B, app="b"))
EVERYONE = Rule()
INGRESS, EGRESS = Direction.INGRESS, Direction.EGRESS


def test_pods_that_no_policy_selects_are_not_isolated() -> None:
    assert verdict(cluster(*PODS), A, B).egress == Side()
    assert allowed(cluster(*PODS), A, B)


@pytest.mark.parametrize(
    ("egress", "ingress", "expected"),
    [(True, True, True), (True, False, False), (False, True, False), (False, False, False)],
)
def test_both_sides_must_allow(egress: bool, ingress: bool, expected: bool) -> None:
    out = policy("default/out", labelled(app="a"), types=[EGRESS], egress=[EVERYONE] if egress else [])
    into = policy("default/in", labelled(app="b"), types=[INGRESS], ingress=[EVERYONE] if ingress else [])
    answer = verdict(cluster(*PODS, out, into), A, B)
    assert (answer.egress.allowed, answer.ingress.allowed, answer.allowed) == (egress, ingress, expected)


def test_any_rule_of_any_policy_allows_whatever_the_order() -> None:
    deny = policy("default/deny")
    useless = policy("default/useless", ingress=[Rule(peers=(block("192.0.2.0/24"),)), Rule(peers=(pods(),))])
    allow = policy("default/allow", ingress=[Rule(ports=(PortEntry(port=81),)), Rule(ports=(PortEntry(port=80),))])
    assert not allowed(cluster(*PODS, deny), A, B)
    for order in itertools.permutations([deny, useless, allow]):
        assert allowed(cluster(*PODS, *order), A, B)


def test_the_verdict_names_every_policy_that_isolates_and_every_rule_that_admits() -> None:
    deny = policy("default/deny")
    by_pod = policy(
        "default/by-pod", ingress=[Rule(peers=(block("192.0.2.0/24"),)), Rule(peers=(pods(labelled(app="a")),))]
    )
    by_port = policy("default/by-port", ingress=[Rule(ports=(PortEntry(port=80),))])
    side = verdict(cluster(*PODS, deny, by_pod, by_port), A, B, tcp(80)).ingress
    assert side.isolated_by == (deny, by_pod, by_port)
    assert [str(admission) for admission in side.admitted_by] == [
        "default/by-pod ingress[1]",
        "default/by-port ingress[0]",
    ]
    assert side.exempt is None


def test_nodes_and_outsiders_have_no_side_of_their_own() -> None:
    deny = policy("default/deny", types=[INGRESS, EGRESS])
    answer = verdict(cluster(*PODS, deny), A, "192.0.2.1")
    assert (answer.egress.allowed, answer.ingress) == (False, Side())
    answer = verdict(cluster(*PODS, deny), "192.0.2.1", A)
    assert (answer.egress, answer.ingress.allowed) == (Side(), False)
    assert allowed(cluster(*PODS, deny), "192.0.2.1", "192.0.2.2")


def test_a_policy_selects_pods_of_its_own_namespace_only() -> None:
    assert allowed(cluster(*PODS, policy("other/deny")), A, B)


def test_a_policy_selects_pods_by_label_and_an_empty_selector_all() -> None:
    state = cluster(*PODS, policy("default/deny", labelled(app="b")))
    assert not allowed(state, A, B)
    assert allowed(state, B, A)
    assert not allowed(cluster(*PODS, policy("default/deny")), B, A)


def test_a_policy_selects_pods_by_expression() -> None:
    state = cluster(*PODS, policy("default/deny", expressed("app", Operator.NOT_IN, "a")))
    assert not allowed(state, A, B)
    assert allowed(state, B, A)


def directions(candidate: NetworkPolicy) -> set[Direction]:
    """The directions in which the policy isolates the pod b."""
    answer = cluster(*PODS, candidate)
    inward, outward = verdict(answer, A, B).ingress, verdict(answer, B, A).egress
    return {way for way, side in ((INGRESS, inward), (EGRESS, outward)) if side.isolated_by}


def test_no_policy_types_means_ingress() -> None:
    assert directions(policy("default/p")) == {INGRESS}
    assert directions(policy("default/p", ingress=[EVERYONE])) == {INGRESS}


def test_no_policy_types_means_egress_too_where_egress_has_an_item() -> None:
    assert directions(policy("default/p", egress=[EVERYONE])) == {INGRESS, EGRESS}


def test_an_empty_egress_without_policy_types_does_not_isolate_for_egress() -> None:
    assert directions(policy("default/p", egress=[])) == {INGRESS}


@pytest.mark.parametrize("types", [{INGRESS}, {EGRESS}, {INGRESS, EGRESS}])
def test_policy_types_are_what_isolates(types: set[Direction]) -> None:
    assert directions(policy("default/p", types=sorted(types))) == types


def test_an_egress_section_is_ignored_when_only_ingress_is_listed() -> None:
    state = cluster(*PODS, policy("default/p", types=[INGRESS], egress=[Rule(peers=(block("192.0.2.0/24"),))]))
    assert verdict(state, A, B).egress == Side()
    assert not allowed(state, A, B)


def test_an_ingress_section_is_ignored_when_only_egress_is_listed() -> None:
    listed = policy("default/p", types=[EGRESS], ingress=[EVERYONE])
    deny = policy("default/deny", types=[INGRESS])
    assert verdict(cluster(*PODS, listed), A, B).ingress == Side()
    assert not verdict(cluster(*PODS, listed, deny), A, B).ingress.allowed
