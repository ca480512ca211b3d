"""The YAML text of a policy, and what a user may type there."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ovsnp.console.form import edited_text, form_of, object_of, object_of_text, yaml_of
from ovsnp.console.form.yaml_view import MAX_BYTES
from ovsnp.yaml_editor import EditRefusedError
from ovsnp.yaml_editor.equality import same
from tests.support.random_policies import random_edit, random_policy

RANDOMS = st.randoms(use_true_random=False)

COMMENTED = """\
# Redis is for the frontend.
kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
spec:
  ingress:
  - ports: [{port: 6379}] # Redis
  podSelector: {matchLabels: {role: db}}
metadata: {name: 'redis'}
"""


@given(RANDOMS)
@settings(max_examples=50)
def test_text_says_the_object(random: Random) -> None:
    policy = random_policy(random)
    read = object_of_text(yaml_of(policy))
    assert read.policy is not None
    assert same(read.policy, policy)


@given(RANDOMS)
@settings(max_examples=50)
def test_text_after_an_edit_says_the_new_object(random: Random) -> None:
    policy = random_policy(random)
    new = random_edit(random, policy)
    new["kind"] = "NetworkPolicy"
    try:
        text = edited_text(yaml_of(policy), new)
    except EditRefusedError:
        return
    read = object_of_text(text)
    assert read.policy is None or same(read.policy, new)


def test_comments_and_order_stay_when_the_form_changes() -> None:
    policy = object_of_text(COMMENTED).policy
    assert policy is not None
    form = form_of(policy)
    form.inbound[0].ports[0].port = "6380"
    assert edited_text(COMMENTED, object_of(form, policy)) == COMMENTED.replace("6379", "6380")


@pytest.mark.parametrize("text", ["a: [", "", f"{COMMENTED}---\n{COMMENTED}", "\ud800"])
def test_text_that_is_not_one_object_cannot_be_edited(text: str) -> None:
    policy = object_of_text(COMMENTED).policy
    assert policy is not None
    with pytest.raises(EditRefusedError):
        edited_text(text, policy)


def test_mistakes_of_values_have_lines_and_leave_the_object() -> None:
    read = object_of_text(COMMENTED.replace("6379", "0").replace("redis", "-"))
    assert read.policy is not None
    assert [(each.span.line, each.path) for each in read.mistakes] == [
        (6, "spec.ingress[0].ports[0].port"),
        (8, "metadata.name"),
    ]


LAUGHS = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}' if n else 'x'] * 9)}]\n" for n in range(9))


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 0, "there is no object here; write a NetworkPolicy"),
        ("# nothing\n", 0, "there is no object here"),
        (f"{COMMENTED}---\n{COMMENTED}", 11, "2 objects"),
        ("a: [\n", 2, "not valid YAML"),
        ("[1,2", 1, "the text ends in the middle of a value; close its brackets and quotes"),
        ('{"kind": "a" "b"}', 1, "not valid YAML"),
        ("[1]", 1, "must be a NetworkPolicy, not a list"),
        ("kind: Pod\napiVersion: v1\n", 1, "the kind is Pod; write a NetworkPolicy"),
        ("kind: NetworkPolicy\napiVersion: v1\n", 2, "networking.k8s.io/v1"),
        (f"{COMMENTED}spec: 1\n", 9, "written twice"),
        (f"{COMMENTED}status: {{1: a}}\n", 9, "a key must be text"),
        (f"{COMMENTED}status: .inf\n", 9, "is no number"),
        (f"{COMMENTED}status: {{\n{LAUGHS.replace(chr(10), ',' + chr(10))}}}\n", 0, "aliases"),
        ("x" * (MAX_BYTES + 1), 0, "larger than 1024 KiB"),
        ("\ud800", 0, "not UTF-8"),
        (COMMENTED.replace("podSelector", "podSelecter"), 7, "unknown field"),
    ],
)
def test_what_is_no_policy_is_told(text: str, line: int, message: str) -> None:
    read = object_of_text(text)
    assert any(message in each.message and line in (0, each.span.line) for each in read.mistakes), read.mistakes


def test_json_is_read_too() -> None:
    text = '{"kind": "NetworkPolicy", "apiVersion": "networking.k8s.io/v1", "metadata": {"name": "a"}, "spec": {}}'
    assert object_of_text(text).mistakes == []
