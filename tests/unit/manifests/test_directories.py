"""Real directories: a file that is no manifest is passed over with one note, a policy never is."""

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from ovsnp.errors import InputError
from ovsnp.manifests import load, located
from ovsnp.model.cluster import Cluster
from tests.support.sentences import is_as_expected

Loads = Callable[..., Cluster]
Lines = Callable[..., list[str]]

NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: kept}\n"
POLICY = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec: {podSelector: {}}\n"
RENDER = "render it first: helm template DIR | ovsnp ... -f -"
BUILD = "build it first: kustomize build dir | ovsnp ... -f -"


@pytest.fixture
def beside(directory: Path) -> Loads:
    """Loads a directory with a Namespace and one more file."""

    def beside(file: str, text: str) -> Cluster:
        (directory / "dir").mkdir(exist_ok=True)
        (directory / "dir" / "namespace.yaml").write_text(NAMESPACE)
        (directory / "dir" / file).write_text(text)
        return load(["dir"])

    return beside


@pytest.fixture
def noted(beside: Loads) -> Lines:
    """The notes about a file in a directory; the rest of the directory is loaded."""

    def noted(file: str, text: str) -> list[str]:
        cluster = beside(file, text)
        assert "kept" in cluster.namespaces
        return [str(note) for note in located(cluster.notes)]

    return noted


@pytest.fixture
def refused(beside: Loads) -> Lines:
    """The mistakes in a file of a directory."""

    def refused(file: str, text: str) -> list[str]:
        with pytest.raises(InputError) as caught:
            beside(file, text)
        return str(caught.value).splitlines()

    return refused


# Files that are no manifests

PLAIN = "a kustomization that only lists files; ovsnp passes over it"
KUSTOMIZATION = f"a kustomization that changes or adds objects, which ovsnp does not build; {BUILD}"
TEMPLATE = f"a template, which ovsnp does not render; {RENDER}"
OTHER = "no Kubernetes object; ovsnp passes over it"
OTHERS = "2 texts that are no Kubernetes objects; ovsnp passes over them"
SERVICE = "apiVersion: v1\nkind: Service\nmetadata:\n  name: {name}\n"

STRANGERS = [
    ("kustomization.yaml", "resources: [namespace.yaml]\nmetadata: {name: x}\n", f":1: {PLAIN}"),
    ("Kustomization", "resources:\n- ./namespace.yaml\n", f":1: {PLAIN}"),
    ("kustomization.yaml", "resources: [nowhere.yaml]\n", f":1: {KUSTOMIZATION}"),
    ("kustomization.yaml", "resources: [..]\n", f":1: {KUSTOMIZATION}"),
    ("kustomization.yaml", "resources: ['https://acme.example/x?ref=main']\n", f":1: {KUSTOMIZATION}"),
    ("kustomization.yaml", "resources: ['\\0']\n", f":1: {KUSTOMIZATION}"),
    ("kustomization.yaml", "bases: [.]\n", f":1: {KUSTOMIZATION}"),
    (
        "kustomization.yaml",
        "apiVersion: kustomize.config.k8s.io/v1beta1\nmetadata: {name: x}\nnamespace: x\n",
        f":1: {KUSTOMIZATION}",
    ),
    ("kustomization.yml", "kind: Kustomization\npatches: [{patch: x}]\n", f":1: {KUSTOMIZATION}"),
    (
        "part.yaml",
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n",
        f":1: {KUSTOMIZATION.replace('build dir', 'build DIR')}",
    ),
    ("values.yaml", "# NetworkPolicy\nnetworkPolicy: {enabled: true}\nkind: Service\n", f":2: {OTHER}"),
    ("values-production.yaml", "replicas: 3\n---\nreplicas: 4\n", f":1: {OTHERS}"),
    ("values.schema.json", '{"type": "object", "items": {"type": "string"}}', f":1: {OTHER}"),
    ("requirements.yaml", "dependencies: []\n", f":1: {OTHER}"),
    ("pipeline.yml", "spec: {inputs: {}}\n", f":1: {OTHER}"),
    ("package.json", '{"name": "x", "dependencies": {}}', f":1: {OTHER}"),
    ("list.json", '[1, [{"name": "x"}], {"kind": "Foo"}]', f":1: {OTHER}"),
    ("lines.json", '{"a": 1}\n{"a": 2}\n"x"\n', f":1: {OTHERS.replace('2', '3')}"),
    ("number.yaml", "5\n", f":1: {OTHER}"),
    ("ci.yml", "on: push\non: pull_request\njobs: !x {a: *b}\n", f":1: {OTHER}"),
    ("odd.yaml", "kind: [a]\n", f":1: {OTHER}"),
    ("behind.yaml", f"{NAMESPACE}---\na: b\n", f":5: {OTHER}"),
    ("service.yaml", "{{- if .Values.x }}\nkind: Service\n{{- end }}\n", f": {TEMPLATE}"),
    ("name.yaml", SERVICE.format(name="{{ .Release.Name }}"), f":1: {TEMPLATE}"),
    ("generated.yaml", SERVICE.replace("name", "generateName").format(generateName='"{{ x }}"'), f":1: {TEMPLATE}"),
    ("quoted.yaml", SERVICE.format(name='"{{ x }}"'), f":1: {TEMPLATE}"),
    ("label.yaml", f"{SERVICE.format(name='x')}  labels: {{a: '{{{{ x }}}}'}}\n", f":1: {TEMPLATE}"),
    ("inner.yaml", "{{ if x }}\nkind: Foo\nspec:\n  ref: {kind: {{ x }}}\n", f":1: {TEMPLATE}"),
    ("inner.yaml", "{{ if x }}\nspec:\n  a: b\n  ref: # x\n    {{ y }}\n    kind: {{ x }}\n", f":1: {TEMPLATE}"),
    ("inner.yaml", "{{ if x }}\nitems:\n- kind: Foo\n  ref:\n    name: x\n    kind: {{ x }}\n", f":1: {TEMPLATE}"),
    ("inner.yaml", "{{ if x }}\n- a: b\n  ref:\n    kind: {{ x }}\n", f":1: {TEMPLATE}"),
    ("inner.yaml", "{{ if x }}\ndata:\n  a.yaml: |\n    kind: {{ x }}\n", f":1: {TEMPLATE}"),
    ("inner.yaml", "{{ if x }}\n# kind: {{ x }}\nmy-kind: {{ x }}\n{{ y }}: {kind: {{ x }}}\n", f":1: {TEMPLATE}"),
    ("free.yaml", "a: {{ .Values.x }}\n", f":1: {TEMPLATE}"),
    ("broken.yaml", "a: [\n", ": not valid YAML: ..., and names no kind that ovsnp reads; ovsnp passes over it"),
    (
        "broken.json",
        '{"a": 1,\n"b" 2}',
        ": not valid JSON: ..., and names no kind that ovsnp reads; ovsnp passes over it",
    ),
    ("cut.json", '{"a": ', ": not valid JSON: ..., and names no kind that ovsnp reads; ovsnp passes over it"),
]


@pytest.mark.parametrize(("file", "text", "expected"), STRANGERS)
def test_what_is_no_manifest_has_one_note(noted: Lines, file: str, text: str, expected: str) -> None:
    (said,) = noted(file, text)
    assert is_as_expected(said, f"dir/{file}{expected}")


@pytest.mark.parametrize(("file", "text"), [
    ("empty.yaml", ""), ("empty.json", " \n"), ("comment.yaml", "# none\n"), ("ends.yaml", "---\n---\n# x\n...\n"),
    ("null.json", "null"), ("crlf.yaml", NAMESPACE.replace("\n", "\r\n")), ("bom.yaml", f"\ufeff{NAMESPACE}"),
    ("crd.yaml", "apiVersion: acme.io/v1\nkind: IPList\nitems: [10.0.0.1, null]\n"),
    ("crd.json", '{"apiVersion": "acme.io/v1", "kind": "IPList", "items": ["10.0.0.1", null]}'),
    ("acme.yaml", "apiVersion: acme.io/v1\nkind: Foo\nmetadata: {name: '{{ x }}'}\n? [a]\n: {{b}}\n"),
    ("ovsnp.yaml", "node: a\n"), ("ovsnp.json", '[{"expect": "allowed"}]'),
])  # fmt: skip
def test_what_needs_no_note(noted: Lines, file: str, text: str) -> None:
    assert noted(file, text) == []


# Documents that may be objects

META = "metadata: {name: x}"
MAY_HOLD = f"a template that may hold a policy; {RENDER}"
REPLACED = f"a template, and its kind is replaced, so it may be a policy; {RENDER}"
NO_KUSTOMIZATION = (
    "a kustomization that changes or adds objects is no manifest; build it first: kustomize build . | ovsnp ... -f -"
)


@pytest.mark.parametrize(("file", "text", "expected"), [
    ("p.yaml", f"{{{{- if .Values.x }}}}\n{POLICY}{{{{- end }}}}\n", f":3: {MAY_HOLD}"),
    ("networkpolicy.yaml", '{{ include "lib.x" . }}: [', f":1: a template is no manifest; {RENDER}"),
    ("x.yaml", '{{ include "lib.netpol" . }}: [', f":1: {MAY_HOLD}"),
    ("x.yaml", "{{ if x }}\nkind: {{ .Values.kind }}\n", f":2: {REPLACED}"),
    ("x.yaml", "{{ if x }}\n---\n# x\napiVersion: v1\nkind:\n  {{ x }}\n'a: [", f":6: {REPLACED}"),
    ("x.yaml", "{{ if x }}\nitems:\n  - apiVersion: v1\n    kind: {{ x }}\n", f":4: {REPLACED}"),
    ("x.yaml", "{{ if x }}\nitems:\n- {{ if y }}kind: '{{ x }}'{{ end }}\n", f":3: {REPLACED}"),
    ("x.yaml", "{{ if x }}\nitems: [{kind: {{ x }}}]\n", f":2: {REPLACED}"),
    ("x.yaml", "{{ if x }}\n- {apiVersion: v1, kind: {{ x }}}\n", f":2: {REPLACED}"),
    ("x.yaml", "{{ if x }}\n  apiVersion: v1\n  kind: {{ x }}\n", f":3: {REPLACED}"),
    ("x.yaml", "{{ if x }}\nref:\n  a: b\n---\n  kind: {{ x }}\n", f":5: {REPLACED}"),
    ("x.yaml", "{{ if x }}\n--- {apiVersion: v1, kind: {{ x }}}\n'a: [", f":2: {REPLACED}"),
    ("x.yaml", "{{ if x }}\nitems:\n  kind: {{ x }}\n", f":3: {REPLACED}"),
    ("x.yaml", "ref: {kind: {{ x }}}\n\"kind\": {{ x }}\n'a: [", f":2: {REPLACED}"),
    ("x.json", '{{ if x }}\n{\n"ref": {},\n  "kind": "{{ x }}"\n}\n', f":4: {REPLACED}"),
    ("x.json", '{{ if x }}\n{\n"items": [\n  {"kind": {{ x }}}]}\n', f":4: {REPLACED}"),
    ("x.yaml", "# {{ x }}\na: [ # NetworkPolicy\n", f":3: not valid YAML: ...; or, if this is a template, {RENDER}"),
    ("x.yaml", POLICY.replace("NetworkPolicy", '"N\\x65tworkP\\x6flicy"') + "---\na: [\n", ":7: not valid YAML: ..."),
    ("x.yaml", POLICY.replace("NetworkPolicy", '"Netw\\\n  orkPolicy"') + "---\na: [\n", ":8: not valid YAML: ..."),
    ("x.json", '{"kind": "Network\\u0050olicy", "apiVersion": "networking.k8s.io/v1", "metadata": {"name": "p"}}\n{',
     ":2: not valid JSON: ..."),
    ("x.yaml", "apiVersion: kustomize.config.k8s.io/v1\nkind: NetworkPolicy\n",
     ":2: NetworkPolicy default/?: kind: 'NetworkPolicy' of 'kustomize.config.k8s.io/v1' is a policy that is not ..."),
    ("x.yaml", "spec: {policyTypes: [Ingress]}\n", ":1: kind: missing; ..."),
    ("x.yaml", POLICY.replace("name: p", "name: {{ .x }}"),
     f":1: NetworkPolicy default/?: a template is no manifest; {RENDER}"),
    ("x.yaml", f"apiVersion: {{{{ .x }}}}\nkind: {{{{ .y }}}}\n{META}\n", f":1: {REPLACED}"),
    ("netpol.yaml", "a: [\n", ":2: not valid YAML: ..."),
    ("policies.json", '{"a": ', ":1: not valid JSON: ..."),
    ("x.yaml", "a: [ # NetworkPolicy\n", ":2: not valid YAML: ..."),
    ("x.yaml", "a: [ # egress-firewall\n", ":2: not valid YAML: ..."),
    ("x.yaml", "kind: Pod\na: [\n", ":3: not valid YAML: ..."),
    ("x.json", '{"kind": "Node"', ":1: not valid JSON: ..."),
    ("x.yaml", f"{META}\nspec: {{podSelector: {{}}}}\n", ":1: kind: missing; ..."),
    ("x.yaml", f"apiVersion: networking.k8s.io/v1\n{META}\n", ":1: kind: missing; ..."),
    ("x.yaml", f"apiVersion: v1\nkind: [Pod]\n{META}\n", ":2: kind: must be text, not a list; write it in quotes"),
    ("x.yaml", "kind: NetworkPolicy\n", ":1: NetworkPolicy default/?: apiVersion: missing; ..."),
    ("x.yaml", f"kind: Service\n{META}\n", ":1: Service default/x: apiVersion: missing; write apiVersion: v1"),
    ("x.yaml", "items:\n- kind: NetworkPolicy\n", ":1: kind: missing; ..."),
    ("x.json", "[" * 150 + "]" * 150, ":1: nested more than 100 levels deep; no Kubernetes object is, ..."),
    ("x.json", '[{"kind": "NetworkPolicy"}]', ":1: must be a Kubernetes object, not a list; write the items of a List"),
    ("x.json", '[[], [{"kind": "List", "items": [{"kind": "NetworkPolicy"}]}]]',
     ":1: must be a Kubernetes object, not a list; write the items of a List"),
    ("x.json", '{"kind": "NetworkPolicy", "apiVersion": "acme.io/v1",\n"kind": "Foo"}',
     ":2: Foo default/?: kind: written twice in one mapping; keep one of the two"),
])  # fmt: skip
def test_what_may_be_an_object_is_a_mistake(refused: Lines, file: str, text: str, expected: str) -> None:
    (said,) = refused(file, text)
    assert is_as_expected(said, f"dir/{file}{expected}")


INCLUDES = f"a template that only includes others, so it may hold a policy; {RENDER}"


@pytest.mark.parametrize(("text", "line"), [
    ('{{- include "bjw-s.common.loader.all" . }}\n', 1),
    ('{{ include "a.b" . }}', 1),
    ('# x\n---\n{{- if .Values.x }}\n---\n  {{ template "x" . }}\n{{ end -}}\n', 3),
    ("{{ tpl .Values.extra . }}\n", 1),
    ("{{ range .Values.extra }}\n---\n{{ toYaml . }}\n{{ end }}\n", 1),
    ('{{/*\nx\n*/}}{{ include "x" (dict\n  "a" "{{") }}\n', 1),
])  # fmt: skip
def test_a_template_of_others_may_hold_a_policy(refused: Lines, text: str, line: int) -> None:
    assert refused("x.yaml", text) == [f"dir/x.yaml:{line}: {INCLUDES}"]


@pytest.mark.parametrize(
    "text", ['{{- define "x" }}\n{{ end }}\n', '{{ include "x" . }}: 5\n', "{{ .x }}\n", '# include "x"\n']
)
def test_a_template_with_text_of_its_own_is_passed_over(noted: Lines, text: str) -> None:
    assert all("a template, which ovsnp does not render" in line for line in noted("x.yaml", text))


@pytest.mark.parametrize("text", ["{{ x }}: [\nNetworkPolicy", "a: [\nNetworkPolicy"])
def test_wide_text_without_a_mark_may_hold_a_policy(directory: Path, text: str) -> None:
    (directory / "dir").mkdir()
    (directory / "dir" / "wide.yaml").write_bytes(text.encode("utf-16-le"))
    with pytest.raises(InputError, match=r"^dir/wide.yaml:1: not UTF-8 text; save the file in UTF-8"):
        load(["dir"])


def test_broken_text_takes_nothing_of_the_file(noted: Lines) -> None:
    """The part before the broken text would be only half of a file."""
    assert len(noted("x.yaml", f"{NAMESPACE.replace('kept', 'x')}---\n{{{{ if x }}}}\nkind: Service\n")) == 1


@pytest.mark.parametrize(("file", "text", "expected"), [
    ("values.yaml", "a: b\n", f":1: part of a Helm chart is no manifest; {RENDER}"),
    ("kustomization.yaml", "resources: []\n", f":1: {NO_KUSTOMIZATION}"),
    ("kustomization.yml", "kind: Kustomization\n", f":1: {NO_KUSTOMIZATION}"),
    ("part.yaml", "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n",
     f":1: {NO_KUSTOMIZATION.replace('build .', 'build DIR')}"),
    ("service.yaml", "{{ if x }}\nkind: Service\n", f":1: a template is no manifest; {RENDER}"),
    ("service.yaml", SERVICE.format(name="{{ x }}"), f":1: Service default/?: a template is no manifest; {RENDER}"),
    ("other.json", '{"a": 1}', ":1: kind: missing; every object says its kind, such as kind: NetworkPolicy"),
    ("broken.yaml", "a: [\n", ":2: not valid YAML: did not find expected node content; "
     "check the indentation and quotes here"),
])  # fmt: skip
def test_named_file_is_meant_as_a_manifest(mistakes: Lines, file: str, text: str, expected: str) -> None:
    assert mistakes(text, file) == [f"{file}{expected}"]


def test_named_file_in_a_named_directory_is_meant_as_a_manifest(beside: Loads) -> None:
    beside("values.yaml", "a: b\n")
    with pytest.raises(InputError, match="part of a Helm chart is no manifest"):
        load(["dir", "dir/values.yaml"])


# Several files

CHART = {"dir/c/Chart.yaml": "name: networkpolicy\n", "dir/c/values.yaml": "a: b\n", "dir/c/data.yaml": "a: b\n",
         "dir/c/templates/x.yaml": "{{ x }}: [", "dir/c/templates/y/z.yaml": "a: {{ x }}\n",
         "dir/c/crds/crd.yaml": NAMESPACE}  # fmt: skip
PATCH = POLICY.replace("spec: {podSelector: {}}", "$patch: delete")
SCALE = "kind: Deployment\nmetadata: {name: p}\nspec: {replicas: 2}\n"
APPLY = "a patch of a kustomization, which ovsnp does not apply; build it first: kustomize build DIR | ovsnp ... -f -"
UNRENDERED = "a Helm chart, which ovsnp does not render; render it first: helm template"
PATCHING = "a kustomization that changes or adds objects, which ovsnp does not build; build it first: kustomize build"


@pytest.mark.parametrize(("files", "expected"), [
    (CHART, [f"dir/c: {UNRENDERED} dir/c | ovsnp ... -f -"]),
    ({**CHART, "dir/c/charts/d/Chart.yaml": "a: b\n", "dir/c/charts/d/values.yaml": "a: b\n"},
     [f"dir/c: {UNRENDERED} dir/c | ovsnp ... -f -", f"dir/c/charts/d: {UNRENDERED} dir/c/charts/d | ovsnp ... -f -"]),
    ({f"dir/{name}/Chart.yaml": "a: b\n" for name in "abcd"},
     ["dir: 4 Helm charts (dir/a and others), which ovsnp does not render; "
      "render them first: helm template DIR | ovsnp ... -f -"]),
    ({"dir/a b/Chart.yaml": "a: b\n"},
     [f"dir/a b: {UNRENDERED} 'dir/a b' | ovsnp ... -f -"]),
    ({f"dir/{name}/kustomization.yaml": "namePrefix: x\n" for name in "abcd"},
     ["dir: 4 kustomizations that change or add objects (dir/a/kustomization.yaml and others), which ovsnp does not "
      "build; build them first: kustomize build DIR | ovsnp ... -f -"]),
    ({f"dir/x/{name}.yaml": "a: b\n" for name in range(200)},
     ["dir/x: 200 texts that are no Kubernetes objects (dir/x/0.yaml and others); ovsnp passes over them"]),
    ({f"dir/x/{name}.yaml": "a: [" for name in range(200)},
     ["dir/x: 200 files that are not valid YAML: ..., and name no kind that ovsnp reads (dir/x/0.yaml and others); "
      "ovsnp passes over them"]),
    ({f"dir/{name}.yaml": f"apiVersion: acme.io/v1\nkind: Foo\n{META}\n" for name in range(200)}, []),
    ({"dir/kustomization.yaml": "patches: [{path: ./b/../p.yaml}, {path: 5}, 5]\n", "dir/p.yaml": SCALE},
     [f"dir/kustomization.yaml:1: {PATCHING} dir | ovsnp ... -f -", f"dir/p.yaml:1: {APPLY}"]),
    ({"dir/o/Kustomization": "patchesStrategicMerge: [../p.json]\n", "dir/p.json": '{"kind": "Pod", "spec": {}}'},
     [f"dir/o/Kustomization:1: {PATCHING} dir/o | ovsnp ... -f -", f"dir/p.json:1: {APPLY}"]),
    ({"dir/kustomization.yaml": "patchesJson6902: [{path: p.yaml}]\n", "dir/p.yaml": "- {op: remove, path: /spec}\n"},
     [f"dir/kustomization.yaml:1: {PATCHING} dir | ovsnp ... -f -"]),
    ({"dir/POLICY.YAML": POLICY, "dir/notes.txt": POLICY, "dir/p.yaml~": POLICY, "dir/.#p.yaml": "[",
      "dir/.git/p.yaml": POLICY},
     ["dir/POLICY.YAML:1: ovsnp reads .yaml, .yml and .json files, in small letters; rename the file"]),
])  # fmt: skip
def test_notes_are_few(directory: Path, files: dict[str, str], expected: list[str]) -> None:
    _write(directory, {"dir/namespace.yaml": NAMESPACE, **files})
    said = [str(note) for note in located(load(["dir"]).notes)]
    assert len(said) == len(expected)
    assert all(map(is_as_expected, said, expected))


def test_mistakes_of_one_chart_are_one(directory: Path) -> None:
    include, policy = '{{ include "x" . }}\n', f"{{{{- if x }}}}\n{POLICY}{{{{ end }}}}\n"
    named = POLICY.replace("name: p", "name: {{ .x }}")
    files = {"c/templates/a.yaml": policy, "c/templates/b.yaml": include, "c/templates/e.yaml": f"{named}---\n{named}",
             "c/templates/f.yaml": "# {{ x }}\na: [ # netpol\n",
             "c/charts/d/Chart.yaml": "a: b\n", "c/charts/d/templates/a.yaml": include, "c/charts/d/x.yaml": include,
             "e/Chart.yaml": "a: b\n", "e/templates/all.yaml": include, "other.yaml": include}  # fmt: skip
    _write(directory, {f"dir/{file}": text for file, text in {**CHART, **files}.items()} | CHART)
    with pytest.raises(InputError) as caught:
        load(["dir"])
    lines = [line.removeprefix("dir/").replace(" | ovsnp ... -f -", "") for line in str(caught.value).splitlines()]
    what = INCLUDES.partition(";")[0]
    yaml = lines.pop(2)
    assert yaml.startswith("c/templates/f.yaml:3: not valid YAML")
    assert lines == [
        f"c/charts/d/templates/a.yaml:1: {what}, and 1 more template of this chart; "
        "render them first: helm template dir/c/charts/d",
        "c/templates/a.yaml:3: a template that may hold a policy, and 2 more templates of this chart; "
        "render them first: helm template dir/c",
        f"e/templates/all.yaml:1: {what}; render it first: helm template dir/e",
        f"other.yaml:1: {what}; render it first: helm template DIR",
    ]


@pytest.mark.parametrize(("kustomization", "text"), [
    ("resources: [p.yaml]\n", PATCH),
    ("resources: [p.yaml]\npatches: [{path: p.yaml}]\n", PATCH),
    ("patches: [{path: q.yaml}]\n", PATCH),
    ("patches: [{path: p.yaml}]\n", f"{{{{ if x }}}}\n{PATCH}"),
    ("patches: [{path: p.yaml}\n", PATCH),
    ("components: [p.yaml]\n", PATCH),
])  # fmt: skip
def test_only_a_patch_may_lack_fields(directory: Path, kustomization: str, text: str) -> None:
    _write(directory, {"dir/kustomization.yaml": kustomization, "dir/p.yaml": text})
    with pytest.raises(InputError, match=r"(?m)^dir/p\.yaml:"):
        load(["dir"])


def test_resource_of_one_kustomization_is_no_patch_of_another(directory: Path) -> None:
    base = {"dir/base/kustomization.yaml": "resources: [p.yaml]\n", "dir/base/p.yaml": POLICY}
    _write(directory, {**base, "dir/kustomization.yaml": "patches: [{path: base/p.yaml}]\n"})
    assert [policy.name for policy in load(["dir"]).policies] == ["p"]


def test_patch_of_a_policy_is_not_passed_over(directory: Path) -> None:
    _write(directory, {"dir/kustomization.yaml": "patches: [{path: p.yaml}]\n", "dir/p.yaml": PATCH})
    with pytest.raises(InputError) as caught:
        load(["dir"])
    assert str(caught.value) == f"dir/p.yaml:1: NetworkPolicy default/p: {APPLY}"


def test_named_patch_is_meant_as_a_manifest(directory: Path) -> None:
    _write(directory, {"dir/kustomization.yaml": "patches: [{path: p.yaml}]\n", "dir/p.yaml": NAMESPACE})
    assert [len(load(paths).namespaces) for paths in (["dir"], ["dir", "dir/p.yaml"])] == [0, 1]


def _write(directory: Path, files: dict[str, str]) -> None:
    for file, text in files.items():
        (directory / file).parent.mkdir(parents=True, exist_ok=True)
        (directory / file).write_text(text)


# Documents by themselves


def test_documents_of_one_file_are_independent(noted: Lines, beside: Loads) -> None:
    odd = "apiVersion: v1\nkind: Secret\ndata: {a: !!binary aGk=, a: *nowhere, 1: x, ? [y] : z}\n"
    text = f"# Source: a.yaml\n---\n{odd}---\n# Source: b.yaml\n---\n{POLICY}---\nx: y\n---\n{odd}---\n"
    assert noted("all.yaml", text) == [f"dir/all.yaml:14: {OTHER}"]
    assert [policy.name for policy in beside("all.yaml", text).policies] == ["p"]


# Entries that are no files


def test_no_files_in_a_directory(directory: Path, beside: Loads) -> None:
    """A pipe without a writer is not opened, neither for its text nor for its lines."""
    beside("more.yaml", "")
    os.mkfifo(directory / "dir" / "pipe.yaml")
    os.symlink("/dev/zero", directory / "dir" / "endless.json")
    (directory / "other").mkdir()
    os.symlink("../other", directory / "dir" / "link")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("dir/socket.yml")
    assert [str(note) for note in located(load(["dir"]).notes)] == [
        "dir/endless.json: a pipe, a socket or a device; ovsnp passes over it",
        "dir/link: a link to a directory; ovsnp does not follow it, name the directory with -f",
        "dir/pipe.yaml: a pipe, a socket or a device; ovsnp passes over it",
        "dir/socket.yml: a pipe, a socket or a device; ovsnp passes over it",
    ]


def test_links_to_files_are_followed(directory: Path, beside: Loads) -> None:
    """A volume made from a ConfigMap has such links."""
    (directory / "dir" / "..data").mkdir(parents=True)
    (directory / "dir" / "..data" / "policy.yaml").write_text(POLICY)
    os.symlink("..data/policy.yaml", directory / "dir" / "policy.yaml")
    assert [policy.name for policy in beside("more.yaml", "").policies] == ["p"]


def test_what_cannot_be_read(directory: Path) -> None:
    os.symlink("round.yaml", directory / "round.yaml")
    with (directory / "huge.yaml").open("wb") as file:
        file.truncate(5 << 30)
    with pytest.raises(InputError) as caught:
        load([".", "/dev/zero", "/dev/tty"])
    assert str(caught.value).splitlines() == [
        "./huge.yaml: is larger than 4 GiB; name only the manifests",
        "./round.yaml: cannot be read: too many levels of symbolic links; check the path and its permissions",
        "/dev/tty: is a device; name a file, a directory, or - for stdin",
        "/dev/zero: is a device; name a file, a directory, or - for stdin",
    ]


def test_directories_too_deep_in_each_other(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before Python 3.12, ``os.walk`` calls itself for each level."""

    def too_deep(*_: object, **__: object) -> None:
        raise RecursionError

    (directory / "d").mkdir()
    monkeypatch.setattr(os, "walk", too_deep)
    with pytest.raises(InputError, match=r"^d: has too many directories in each other; name those with the manifests$"):
        load(["d"])


def test_nothing_is_read_of_the_null_device() -> None:
    assert load([os.devnull]) == Cluster({}, {}, (), ())


@pytest.mark.parametrize("notation", ["json", "yaml"])
@pytest.mark.parametrize(("version", "kind"), [
    ("v2", "Pod"), ("v2", "Service"), ("v2", "Endpoints"), ("v1", "ServiceCIDR"),
    ("discovery.k8s.io/v1beta1", "EndpointSlice"),
])  # fmt: skip
def test_state_of_another_version_is_left_out(notes: Lines, version: str, kind: str, notation: str) -> None:
    fields = {"apiVersion": version, "kind": kind, "metadata": {"name": "x"}}
    text = json.dumps(fields) if notation == "json" else f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: x}}\n"
    subject = f"{kind} {'' if kind == 'ServiceCIDR' else 'default/'}x"
    message = f"'{version}' is no version of {kind} that ovsnp reads; ovsnp leaves the object out"
    assert notes(text) == [f"in.yaml:1: {subject}: apiVersion: {message}"]
