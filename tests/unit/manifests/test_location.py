"""Lines of fields, and paths as text."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ovsnp.errors import Place, Span
from ovsnp.manifests import locate
from ovsnp.model.cluster import Cluster
from ovsnp.yaml_reader.paths import format_path, parse_path

YAML = """\
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Namespace
  metadata: {name: a}
- apiVersion: networking.k8s.io/v1
  kind: NetworkPolicy
  metadata:
    name: np
  spec:
    podSelector:
      matchLabels:
        app.kubernetes.io/name: web
    ingress:
    - from:
      - podSelector: {}
      - ipBlock:
          cidr: 10.0.0.0/8
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("", 7),
        ("spec", 11),
        ("spec.podSelector.matchLabels[app.kubernetes.io/name]", 14),
        ("spec.ingress[0]", 16),
        ("spec.ingress[0].from[1].ipBlock.cidr", 19),
        ("spec.ingress[0].from[1].ipBlock.except[2]", 18),
        ("spec.ingress[7].from", 15),
        ("spec.egress", 11),
        ("%", 7),
    ],
)
def test_yaml(load_text: Callable[..., Cluster], path: str, line: int) -> None:
    (policy,) = load_text(YAML).policies
    assert locate(policy.place, path) == Span("in.yaml", line)


def test_json(load_text: Callable[..., Cluster]) -> None:
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "np"},
        "spec": {"ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}]}]},
    }
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": [{**policy, "metadata": {"name": "a"}}, policy]})
    text = text.replace('{"from"', '\n{"from"').replace('"except"', '\n"except"').replace('"apiV', '\n"apiV')
    second = load_text(text).policies[1]
    assert second.place == Place("in.yaml", 0, (1,))
    lines = [
        locate(second.place, path).line for path in ("", "spec.ingress[0]", "spec.ingress[0].from[0].ipBlock.except")
    ]
    assert lines == [5, 7, 8]


def test_what_is_gone(load_text: Callable[..., Cluster], directory: Path) -> None:
    (policy,) = load_text(YAML).policies
    (directory / "in.yaml").write_text("[]")
    assert locate(policy.place, "spec") == Span("in.yaml", 0)
    (directory / "in.yaml").unlink()
    assert locate(policy.place, "spec") == Span("in.yaml", 0)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""),
        (("spec", "ingress", 0, "from", 12), "spec.ingress[0].from[12]"),
        (("labels", "app.kubernetes.io/name"), "labels[app.kubernetes.io/name]"),
        (("labels", "1"), 'labels["1"]'),
        (("labels", 'a"]b\n'), 'labels["a\\"]b\\n"]'),
        (("labels", ""), 'labels[""]'),
        (("<<",), '["<<"]'),
    ],
)
def test_paths(path: tuple[str | int, ...], text: str) -> None:
    assert format_path(path) == text
    assert parse_path(text) == path


def test_json_item_whose_text_stands_before_the_items_too(load_text: Callable[..., Cluster]) -> None:
    policy = '{"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "NAME"}, "spec": {}}'
    first, second = policy.replace("NAME", "a"), policy.replace("NAME", "b")
    text = f'{{"apiVersion": "v1", "kind": "List",\n"metadata": {{"x": {first}}},\n"items": [\n{first},\n{second}]}}'
    assert [locate(each.place, "").line for each in load_text(text).policies] == [4, 5]
