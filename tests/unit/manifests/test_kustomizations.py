"""Kustomizations among manifests: a change to a policy is never passed over."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from ovsnp.errors import InputError
from ovsnp.manifests import load

POLICY = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec: {podSelector: {}}\n"
IN_SHOP = POLICY.replace("name: p", "name: p, namespace: shop")
SHOP = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"
DEPLOYMENT = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {template: {}}\n"
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n"
COMPONENT = "kind: Component\n"
LISTS = "resources: [p.yaml]\n"
CHANGES = (
    "changes policies or the pods that they select, and ovsnp does not build kustomizations; "
    "build it first: kustomize build {} | ovsnp ... -f -"
)
SELECTED = "spec: {podSelector: {matchLabels: {a: b}}}"


def _write(directory: Path, files: dict[str, str]) -> None:
    for file, text in files.items():
        (directory / file).parent.mkdir(parents=True, exist_ok=True)
        (directory / file).write_text(text)


def _refused(paths: Sequence[str]) -> list[str]:
    with pytest.raises(InputError) as caught:
        load(paths)
    return str(caught.value).splitlines()


@pytest.mark.parametrize(("text", "line", "field"), [
    ("namespace: shop\n", 2, "namespace"),
    ("namespace: [shop]\n", 2, "namespace"),
    ("namespace: {{ .Values.namespace }}\n", 2, "namespace"),
    ("# x\n\ncommonLabels: {a: b}\n", 4, "commonLabels"),
    ("labels:\n- pairs: {a: b}\n  includeSelectors: true\n", 2, "labels"),
    ("labels: [{pairs: {a: b}, includeTemplates: true}]\n", 2, "labels"),
    ("labels: [{pairs: {a: b}, fields: [{path: spec/podSelector/matchLabels}]}]\n", 2, "labels"),
    ("patches: [{patch: '[]', target: {kind: NetworkPolicy}}]\n", 2, "patches"),
    ("patches: [{path: x.yaml, target: {kind: 'Net.*|Pod'}}]\n", 2, "patches"),
    ("patches: [{path: x.yaml, target: {kind: '('}}]\n", 2, "patches"),
    # Of such expressions there are some that take Python for ever; none of them is tried.
    ("patches: [{path: x.yaml, target: {kind: '(Pod)+'}}]\n", 2, "patches"),
    ("patches: [{path: x.yaml, target: {kind: '(P|)(o|)d'}}]\n", 2, "patches"),
    ("patches: [{path: x.yaml, target: {kind: '.*a.*b.*c.*d.*'}}]\n", 2, "patches"),
    ("patches: [{path: x.yaml, target: {labelSelector: a=b}}]\n", 2, "patches"),
    ("patches: [{path: ../x.yaml}]\n", 2, "patches"),
    ("patches:\n- patch: |\n    kind: NetworkPolicy\n    metadata: {name: p}\n", 2, "patches"),
    ("patches:\n- patch: |\n    kind: Pod\n    ---\n    kind: {{ x }}\n", 2, "patches"),
    ("patches:\n- patch: 'a: ['\n", 2, "patches"),
    ("patchesStrategicMerge:\n- |\n  kind: NetworkPolicy\n  metadata: {name: p}\n", 2, "patchesStrategicMerge"),
    ("patchesStrategicMerge: [p.yaml]\n", 2, "patchesStrategicMerge"),
    ("patchesJson6902: [{path: x.yaml, target: {kind: NetworkPolicy, name: p}}]\n", 2, "patchesJson6902"),
    ("replacements: [{path: x.yaml}]\n", 2, "replacements"),
    ("replacements: [{targets: [{select: {name: p}}]}]\n", 2, "replacements"),
    ("transformers: [x.yaml]\n", 2, "transformers"),
])  # fmt: skip
def test_what_changes_policies_is_a_mistake(directory: Path, text: str, line: int, field: str) -> None:
    _write(directory, {"dir/kustomization.yaml": LISTS + text, "dir/p.yaml": POLICY})
    assert _refused(["dir"]) == [f"dir/kustomization.yaml:{line}: {field}: {CHANGES.format('dir')}"]


@pytest.mark.parametrize("text", [
    "namespace: default\n", "namespace: ''\n", "namePrefix: x-\nnameSuffix: -x\n", "commonLabels: {}\n",
    "commonAnnotations: {a: b}\n", "labels: [{pairs: {a: b}}]\n", "images: [{name: a, newTag: b}]\n",
    "patches: [{path: x.yaml, target: {kind: Deployment}}]\n",
    "patches: [{path: x.yaml, target: {kind: '^(Deployment|.*Set)$'}}]\n",
    "patches:\n- patch: |\n    kind: Deployment\n    metadata: {name: d}\n",
    "patches: [{path: d.yaml}]\n", "patchesStrategicMerge: [d.yaml]\n",
    "patchesJson6902: [{path: x.yaml, target: {kind: Ingress, name: p}}]\n",
    "replacements: [{targets: [{select: {kind: Deployment}}]}]\n", "transformers: []\n",
    "patches: x\n", "labels: [x]\n",
])  # fmt: skip
def test_what_changes_no_policy_is_none(directory: Path, text: str) -> None:
    _write(directory, {"dir/kustomization.yaml": LISTS + text, "dir/p.yaml": POLICY, "dir/d.yaml": DEPLOYMENT})
    assert [policy.key for policy in load(["dir"]).policies] == ["default/p"]


@pytest.mark.parametrize(("files", "expected"), [
    ({"dir/overlay/kustomization.yaml": "namespace: shop\nresources: [../base]\n",
      "dir/base/kustomization.yml": LISTS, "dir/base/p.yaml": POLICY}, ["overlay/kustomization.yaml:1: namespace"]),
    ({"dir/overlay/kustomization.yaml": "bases: [../middle]\nnamespace: shop\n",
      "dir/middle/Kustomization": "resources: [../base/]\n",
      "dir/base/kustomization.yml": f"{LISTS}commonLabels: {{a: b}}\n", "dir/base/p.yaml": POLICY},
     ["base/kustomization.yml:2: commonLabels", "overlay/kustomization.yaml:2: namespace"]),
    ({"dir/kustomization.yaml": f"{LISTS}components: [c]\n", "dir/p.yaml": POLICY,
      "dir/c/kustomization.yaml": f"{COMPONENT}components: [../d]\n",
      "dir/d/kustomization.yaml": f"{COMPONENT}namespace: shop\n"}, ["kustomization.yaml:2: components"]),
    ({"dir/kustomization.yaml": "components: [c]\nnamespace: shop\n", "dir/c/p.yaml": POLICY,
      "dir/c/kustomization.yaml": f"{COMPONENT}{LISTS}"}, ["kustomization.yaml:2: namespace"]),
    ({"dir/kustomization.yaml": "namespace: shop\nresources: [., a.yaml, b.yaml, c.yaml]\n",
      "dir/a.yaml": POLICY, "dir/b.yaml": POLICY.replace("name: p", "name: q"), "dir/c.yaml": DEPLOYMENT},
     ["kustomization.yaml:1: namespace"]),
    ({"dir/kustomization.yaml": "---\n# x\n---\nnamespace: shop\nresources: [p.yaml, d.yaml]\n", "dir/p.yaml": IN_SHOP,
      "dir/d.yaml": DEPLOYMENT}, ["kustomization.yaml:4: namespace"]),
    ({"dir/kustomization.yaml": "namespace: shop\nresources: [p.yaml]\n",
      "dir/p.yaml": f"{IN_SHOP}---\n{SHOP.replace('shop', 'other')}"}, ["kustomization.yaml:1: namespace"]),
    ({"dir/kustomization.yaml": f"namespace: shop\n{LISTS}",
      "dir/p.yaml": '{"kind": "List", "apiVersion": "v1", "items": [{"apiVersion": "networking.k8s.io/v1", '
                    '"kind": "NetworkPolicy", "metadata": {"name": "p"}, "spec": {}}]}'},
     ["kustomization.yaml:1: namespace"]),
])  # fmt: skip
def test_one_mistake_for_each_kustomization(directory: Path, files: dict[str, str], expected: list[str]) -> None:
    _write(directory, files)
    said = _refused(["dir"])
    assert [line.partition(": changes")[0] for line in said] == [f"dir/{line}" for line in expected]


@pytest.mark.parametrize("files", [
    {"dir/kustomization.yaml": "namespace: shop\nresources: [d.yaml]\n", "dir/d.yaml": DEPLOYMENT,
     "dir/p.yaml": POLICY},
    {"dir/kustomization.yaml": "namespace: shop\nresources: [p.yaml, d.yaml, s.yaml]\n", "dir/p.yaml": IN_SHOP,
     "dir/d.yaml": f"{SHOP}---\n{DEPLOYMENT.replace('name: d', 'name: d, namespace: shop')}", "dir/s.yaml": SECRET},
    {"dir/kustomization.yaml": "components: [c]\n", "dir/p.yaml": POLICY,
     "dir/c/kustomization.yaml": f"{COMPONENT}namespace: shop\n"},
])  # fmt: skip
def test_kustomization_that_leaves_policies_as_they_are(directory: Path, files: dict[str, str]) -> None:
    _write(directory, files)
    assert [policy.name for policy in load(["dir"]).policies] == ["p"]


def test_named_policy_is_read_as_it_is(directory: Path) -> None:
    _write(directory, {"dir/kustomization.yaml": f"namespace: shop\n{LISTS}", "dir/p.yaml": POLICY})
    for paths in (["dir/p.yaml"], ["dir", "dir/p.yaml"]):
        assert [policy.key for policy in load(paths).policies] == ["default/p"]


def test_paths_are_compared_whatever_their_form(directory: Path) -> None:
    _write(directory, {"overlay/kustomization.yaml": "namespace: shop\nresources: [../base]\n",
                       "base/kustomization.yaml": LISTS, "base/p.yaml": POLICY})  # fmt: skip
    for paths in (["."], ["./overlay", str(directory / "base")], [str(directory), "overlay/../base"]):
        (line,) = _refused(paths)
        assert CHANGES.format("")[:30] in line
