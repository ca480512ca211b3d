"""Directories with arbitrary files: `InputError` is the only exception, and no policy in the files is lost."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ovsnp.errors import InputError
from ovsnp.manifests import load, located

BOUNDED = settings(
    derandomize=True, deadline=None, max_examples=400, database=None, suppress_health_check=list(HealthCheck)
)
FILES = [
    "a.yaml", "b.yml", "c.json", ".d.yaml", "sub/e.yaml", "values.yaml", "Chart.yaml", "Kustomization", "ovsnp.yaml",
    "kustomization.yaml", "templates/f.yaml", "police.yaml",
]  # fmt: skip
OBJECT = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "p"}, "spec": {}}
IN_YAML = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec: {podSelector: {}}\n"
POLICIES = [
    json.dumps(OBJECT),
    json.dumps({"kind": "List", "apiVersion": "v1", "items": [OBJECT]}, indent=1),
    json.dumps({"kind": "NetworkPolicyList", "apiVersion": "networking.k8s.io/v1", "items": [OBJECT]}),
    json.dumps([OBJECT]),
    json.dumps(OBJECT).replace("Network", "N\\u0065twork"),
    IN_YAML,
    IN_YAML.replace("NetworkPolicy", '"Network\\x50olicy"'),
    IN_YAML.replace("NetworkPolicy", ">-\n  NetworkPolicy"),
    IN_YAML.replace("NetworkPolicy", '"Network\\\n  Policy"'),
    IN_YAML.replace("kind:", '"k\\x69nd":'),
    IN_YAML.replace("kind: NetworkPolicy", "? kind\n: !!str NetworkPolicy"),
    f"kind: List\napiVersion: v1\nitems:\n- {json.dumps(OBJECT)}\n",
    IN_YAML.replace("\n", "\r\n"),
    f"\ufeff{IN_YAML}",
]
TEXTS = [
    "", "---\n", "...\n", "\n", "# {{ x }}\n", "{{ if x }}\n", "{{- end }}\n", "a: {{ .Values.x }}\n", "a: [\n", "]\n",
    '"', "{", "}", "&a [*a]\n", "<<: *b\n", "!x y\n", "%TAG ! x\n", "? [a]\n: b\n", "5\n", "null\n", "- a\n", "\t",
    "\0",
    "apiVersion: v1\nkind: Secret\ndata: {a: 1, a: 2}\n", "kind: Pod\n", "spec: {}\n", "items: []\n", "kind: {{ x }}\n",
    "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n", '{"kind": "Foo", "apiVersion": "acme.io/v1"}\n',
    '{"a": 1}\n',
    "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n", "resources: [a.yaml]\n", "[" * 200, '[{"x": ',
    "patches: [{patch: x}]\n", "- {from: a, to: b, expect: allowed}\n", "expect: x\n", "metadata: {name: '{{ x }}'}\n",
    "namespace: x\nresources: [a.yaml, sub]\n", '{{ include "x" . }}\n', "- kind: {{ x }}\n", "ref: {kind: {{ x }}}\n",
    "|\n  x\n", "a: |\n  kind: x\n", "\x85", "\u2028",
]  # fmt: skip
ENCODINGS = ["utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1"]

PARTS = st.lists(st.sampled_from([*TEXTS, *TEXTS, "---\n", "\n---\n", *POLICIES]), max_size=6)


def read(files: dict[str, bytes]) -> int | None:
    """The number of policies that load from a directory of these files; None if the directory is refused."""
    with TemporaryDirectory() as directory:
        for name, data in files.items():
            (Path(directory) / name).parent.mkdir(exist_ok=True)
            (Path(directory) / name).write_bytes(data)
        try:
            cluster = load([directory])
        except InputError:
            return None
        assert all(str(note).startswith(directory) for note in located(cluster.notes))
        return len(cluster.policies)


def encoded(text: str, encoding: str) -> bytes:
    return text.encode(encoding, "replace")


@BOUNDED
@given(files=st.dictionaries(st.sampled_from(FILES), st.tuples(PARTS, st.sampled_from(ENCODINGS)), max_size=4))
def test_only_input_errors(files: dict[str, tuple[list[str], str]]) -> None:
    read({name: encoded("".join(parts), encoding) for name, (parts, encoding) in files.items()})


@BOUNDED
@given(
    name=st.sampled_from(FILES), data=st.binary(max_size=60), policy=st.sampled_from(POLICIES), cut=st.integers(0, 400)
)
def test_only_input_errors_for_bytes(name: str, data: bytes, policy: str, cut: int) -> None:
    read({name: data})
    read({name: data + policy.encode()})
    read({name: policy.encode()[:cut] + data})


@BOUNDED
@given(
    name=st.sampled_from(FILES),
    before=PARTS,
    policy=st.sampled_from(POLICIES),
    after=PARTS,
    encoding=st.sampled_from(ENCODINGS),
    others=st.dictionaries(st.sampled_from(FILES), PARTS, max_size=2),
)
def test_no_policy_is_lost(
    name: str, before: list[str], policy: str, after: list[str], encoding: str, others: dict[str, list[str]]
) -> None:
    """Every policy in a document of its own is in the cluster, or the directory is refused."""
    text = f"{''.join(before)}\n---\n{policy}\n---\n{''.join(after)}"
    files = {other: "".join(parts).encode() for other, parts in others.items()}
    found = read({**files, name: encoded(text, encoding)})
    assert found is None or found >= 1


@pytest.mark.parametrize("policy", POLICIES)
def test_policies_by_themselves(policy: str) -> None:
    """Without this, the property above would also hold for files that are always refused."""
    assert read({"a.yaml": policy.encode()}) == (None if policy.startswith("[") else 1)
