"""Form and object there and back: nothing is lost, and an edit of a field changes what the field shows."""

import copy
from collections.abc import Callable, Iterator
from functools import partial
from random import Random
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ovsnp.console.form import (
    FormError,
    LabelForm,
    NamespacesForm,
    NotShownError,
    PeerForm,
    PolicyForm,
    PortForm,
    RuleForm,
    SelectorForm,
    form_of,
    object_of,
)
from ovsnp.yaml_editor.equality import same
from tests.support.checkout import ROOT
from tests.support.random_policies import Object, random_policy

RANDOMS = st.randoms(use_true_random=False)
FILES = [*(ROOT / "tests" / "golden").glob("*/policies.yaml"), *(ROOT / "containerlab" / "policies").glob("*.yaml")]


def sent(form: PolicyForm) -> PolicyForm:
    """The form as a browser sends it back."""
    return msgspec.json.decode(msgspec.json.encode(form), type=PolicyForm)


def changed_paths(one: Any, other: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of the innermost parts that differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in one.keys() | other.keys():
            if key not in one or key not in other:
                yield (*path, key)
            else:
                yield from changed_paths(one[key], other[key], (*path, key))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (first, second) in enumerate(zip(one, other, strict=True)):
            yield from changed_paths(first, second, (*path, index))
    elif not same(one, other):
        yield path


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_policies_of_files_come_back(file: Any) -> None:
    policies = [each for each in yaml.safe_load_all(file.read_text(encoding="utf-8")) if each]
    assert policies
    for policy in policies:
        assert same(object_of(sent(form_of(policy)), policy), policy)


@given(RANDOMS)
@settings(max_examples=100)
def test_random_policies_come_back(random: Random) -> None:
    policy = random_policy(random)
    before = copy.deepcopy(policy)
    assert same(object_of(sent(form_of(policy)), policy), before)
    assert same(policy, before)


@given(RANDOMS)
@settings(max_examples=100)
def test_new_policy_has_the_form_that_made_it(random: Random) -> None:
    form = without_origins(form_of(random_policy(random)))
    assert without_origins(form_of(object_of(form, None))) == form


def without_origins(form: PolicyForm) -> PolicyForm:
    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: walk(inner) for key, inner in value.items() if key != "origin"}
        return [*map(walk, value)] if isinstance(value, list) else value

    return msgspec.convert(walk(msgspec.to_builtins(form)), PolicyForm)


@given(RANDOMS)
@settings(max_examples=100)
def test_edit_of_a_field_changes_what_the_field_shows(random: Random) -> None:
    policy = random_policy(random)
    form = form_of(policy)
    path, edit = random.choice([*edits_of(form)])
    edit()
    found = [*changed_paths(policy, object_of(sent(form), policy))]
    assert found
    assert all(each[: len(path)] == path for each in found)


Edit = tuple[tuple[Any, ...], Callable[[], object]]


def edits_of(form: PolicyForm) -> Iterator[Edit]:
    """All edits of one field, with the path in the object that may change."""
    yield ("metadata", "name"), partial(setattr, form, "name", "other")
    yield ("metadata", "namespace"), partial(setattr, form, "namespace", "other")
    new = SelectorForm("listed", [*form.selector.labels, LabelForm("new", "label")], form.selector.expressions)
    yield ("spec", "podSelector"), partial(setattr, form, "selector", new)
    for section, peers, rows in (("ingress", "from", form.inbound), ("egress", "to", form.outbound)):
        for index, rule in enumerate(rows):
            for port in rule.ports:
                yield from edits_of_port(port, ("spec", section, index, "ports"))
            for number, peer in enumerate(rule.peers):
                yield from edits_of_peer(peer, ("spec", section, index, peers, number))


def edits_of_port(port: PortForm, path: tuple[Any, ...]) -> Iterator[Edit]:
    item = (*path, port.origin[0]) if len(port.origin) == 1 else path
    yield item, partial(setattr, port, "port", "7777")
    if len(port.origin) == 1:
        yield (*item, "protocol"), partial(setattr, port, "protocol", "UDP" if port.protocol != "UDP" else "TCP")


def edits_of_peer(peer: PeerForm, path: tuple[Any, ...]) -> Iterator[Edit]:
    if peer.kind == "block":
        block, bar, exceptions = peer.block.partition("|")
        yield (*path, "ipBlock", "except"), partial(setattr, peer, "block", f"{block}|10.9.0.0/16")
        yield (*path, "ipBlock", "cidr"), partial(setattr, peer, "block", f"10.9.0.0/16{bar}{exceptions}")
    else:
        yield (*path, "podSelector"), partial(setattr, peer, "pods", SelectorForm("listed", [LabelForm("new", "x")]))
        yield path, partial(setattr, peer, "namespaces", NamespacesForm("named", "other"))


@given(RANDOMS)
@settings(max_examples=50)
def test_rules_that_move_keep_all_that_is_in_them(random: Random) -> None:
    policy = random_policy(random)
    policy["spec"]["policyTypes"] = ["Ingress", "Egress"]
    form = form_of(policy)
    random.shuffle(form.inbound)
    if form.inbound:
        form.inbound.pop()
    form.inbound.insert(0, RuleForm("all", [], "all", []))
    made = object_of(sent(form), policy)
    old = policy["spec"].get("ingress") or []
    assert made["spec"]["ingress"] == [{}, *(old[row.origin] for row in form.inbound[1:] if row.origin is not None)]
    assert {path[:2] for path in changed_paths(policy, made)} <= {("spec", "ingress")}


def policy_with(**spec: Any) -> Object:
    metadata = {"name": "p", "namespace": "default"}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


def test_any_protocol_is_one_row_for_three_items() -> None:
    items = [{"protocol": protocol, "port": 53} for protocol in ("TCP", "UDP", "SCTP")]
    policy = policy_with(podSelector={}, ingress=[{"ports": [{"port": "http"}, *items]}])
    form = form_of(policy)
    assert [(row.protocol, row.port) for row in form.inbound[0].ports] == [("TCP", "http"), ("any", "53")]
    form.inbound[0].ports[1].port = "54-60"
    made = object_of(form, policy)["spec"]["ingress"][0]["ports"]
    assert made == [{"port": "http"}, *({**item, "port": 54, "endPort": 60} for item in items)]


def test_protocol_that_was_left_out_stays_out() -> None:
    policy = policy_with(podSelector={}, ingress=[{"ports": [{"port": 80, "endPort": 90, "later": 1}]}])
    form = form_of(policy)
    form.inbound[0].ports[0].port = "*"
    assert object_of(form, policy)["spec"]["ingress"][0]["ports"] == [{"later": 1}]


def test_peer_that_becomes_another_kind_names_nobody_else() -> None:
    policy = policy_with(podSelector={}, ingress=[{"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}, "later": 1}]}])
    form = form_of(policy)
    form.inbound[0].peers[0].kind = "pods"
    assert object_of(form, policy)["spec"]["ingress"][0]["from"] == [{"podSelector": {}, "later": 1}]
    back = form_of(made := object_of(form, policy))
    back.inbound[0].peers[0] = PeerForm("block", "fd00::/8|fd01::/16", origin=0)
    assert object_of(back, made)["spec"]["ingress"][0]["from"] == [
        {"later": 1, "ipBlock": {"cidr": "fd00::/8", "except": ["fd01::/16"]}}
    ]


def test_namespaces_become_the_own_one() -> None:
    policy = policy_with(podSelector={}, ingress=[{"from": [{"namespaceSelector": {}}]}])
    form = form_of(policy)
    assert form.inbound[0].peers[0].namespaces.choice == "all"
    form.inbound[0].peers[0].namespaces.choice = "own"
    assert object_of(form, policy)["spec"]["ingress"][0]["from"] == [{"podSelector": {}}]


@pytest.mark.parametrize(
    ("spec", "directions"),
    [
        ({}, ["Ingress"]),
        ({"policyTypes": []}, ["Ingress"]),
        ({"egress": []}, ["Ingress"]),
        ({"egress": [{}]}, ["Ingress", "Egress"]),
        ({"policyTypes": ["Egress"], "ingress": [{}]}, ["Egress"]),
    ],
)
def test_directions_are_those_that_the_api_defaults_to(spec: Object, directions: list[str]) -> None:
    assert form_of(policy_with(podSelector={}, **spec)).directions == directions


def test_directions_are_written_once_the_default_says_something_else() -> None:
    policy = policy_with(podSelector={}, ingress=[{}])
    form = form_of(policy)
    form.outbound.append(RuleForm("all", [], "all", []))
    assert object_of(form, policy)["spec"]["policyTypes"] == ["Ingress"]
    form.directions = ["Ingress", "Egress"]
    assert "policyTypes" not in object_of(form, policy)["spec"]


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ({"ingress": "all"}, "spec.ingress"),
        ({"ingress": [None]}, "spec.ingress[0]"),
        ({"ingress": [{"from": [{}]}]}, "spec.ingress[0].from[0]"),
        ({"egress": [{"to": [{"ipBlock": {"cidr": "::/0"}, "podSelector": {}}]}]}, "spec.egress[0].to[0]"),
        ({"egress": [{"ports": [{"port": "http", "endPort": 1}]}]}, "spec.egress[0].ports[0]"),
        ({"egress": [{"ports": [{"port": True}]}]}, "spec.egress[0].ports[0].port"),
    ],
)
def test_what_the_form_cannot_show_is_refused(spec: Object, path: str) -> None:
    with pytest.raises(NotShownError, match=r"change it in the YAML") as refused:
        form_of(policy_with(podSelector={}, **spec))
    assert refused.value.path == path


def test_form_of_another_version_is_refused() -> None:
    form = form_of(policy_with(podSelector={}, ingress=[{"ports": [{"port": 1}]}]))
    form.inbound[0].ports.append(PortForm("TCP", "2"))
    with pytest.raises(FormError, match="another version"):
        object_of(form, policy_with(podSelector={}))
