"""Text that cannot be read, files that cannot be opened, and mistakes that JSON and YAML can hide."""

import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ovsnp.errors import InputError
from ovsnp.manifests import load
from ovsnp.model.cluster import Cluster
from tests.support.sentences import is_as_expected

Mistakes = Callable[..., list[str]]
HEADER = "apiVersion: v1\nkind: Namespace\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: b\n c: d\n", "2: not valid YAML: ...; check the indentation and quotes here"),
        ("a:\n\tb: c\n", "2: not valid YAML: ...; check the indentation and quotes here"),
        ("a: 'b\n", "2: not valid YAML: ...; check the indentation and quotes here"),
        ("a: *b\n", "1: a: there is no anchor &b before this alias; write it out"),
        ("a: &b [*b]\n", "1: a[0]: there is no anchor &b before this alias; write it out"),
        ("? [a]\n: b\n", "1: [\"?\"]: a key of a mapping must be text; write it as KEY: VALUE"),
        ("\na: " + "[" * 200, "2: nested more than 100 levels deep; no Kubernetes object is, check the brackets"),
        ("{a: " * 100_000, "1: nested more than 100 levels deep; no Kubernetes object is, check the brackets"),
        ("- " * 100_000, "1: nested more than 100 levels deep; no Kubernetes object is, check the brackets"),
        ("{a: b}\n---\n" + "{" * 2000, "3: ..."),
        ("a: &a [b]\n*a : c\n", "2: [\"?\"]: a key of a mapping must be text; write it as KEY: VALUE"),
        ("a: \x07\n", "1: not valid YAML: ...; remove the character"),
        ("{\n\"a\": 1\n\"b\": 2}", "3: not valid YAML: ...; check the indentation and quotes here"),
        ("{\n\"a\": [1,\n", "3: not valid JSON: it stops in the middle of a value; check that the file is whole"),
        ("{}\n{} x", "2: not valid YAML: ...; check the indentation and quotes here"),
    ],
)  # fmt: skip
def test_broken_text(mistakes: Mistakes, text: str, expected: str) -> None:
    assert any(is_as_expected(said, f"in.yaml:{expected}") for said in mistakes(text))


def test_broken_json(mistakes: Mistakes) -> None:
    (said,) = mistakes('{"a": 1,\n"b" 2}', "in.json")
    assert is_as_expected(said, "in.json:2: not valid JSON: ...; check the commas, brackets and quotes here")
    deep = '{"apiVersion": "v1", "kind": "Pod", "metadata": ' + "[" * 100_000 + "]" * 100_000 + "}"
    assert mistakes(deep, "in.json") == [
        "in.json:1: nested more than 100 levels deep; no Kubernetes object is, check the brackets"
    ]
    deep = '{"apiVersion": "v1", "kind": "Pod", "metadata": ' + "[" * 200 + "]" * 200 + "}"
    assert mistakes(deep, "in.json") == [
        "in.json:1: Pod default/?: nested more than 100 levels deep; no Kubernetes object is, check the brackets"
    ]


def test_not_utf8(directory: Path) -> None:
    (directory / "latin1.yaml").write_bytes(b"a: b\nc: \xe4\n")
    (directory / "utf16.json").write_bytes("{}".encode("utf-16-le"))
    with pytest.raises(InputError) as caught:
        load(["latin1.yaml", "utf16.json"])
    assert str(caught.value).splitlines() == [
        "latin1.yaml:2: not UTF-8 text; save the file in UTF-8",
        "utf16.json:1: not UTF-8 text; save the file in UTF-8",
    ]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("text", [
    "apiVersion: v1\nkind: Namespace\nmetadata: {name: NE\u00e4}\n",
    '{"apiVersion": "v1",\n"kind": "Namespace",\n"metadata": {"name": "NE\u00e4"}}\n',
])  # fmt: skip
def test_encodings_with_a_mark(directory: Path, encoding: str, line_end: str, text: str) -> None:
    (directory / "in.yaml").write_bytes(text.replace("\n", line_end).encode(encoding))
    with pytest.raises(
        InputError, match=r"^in.yaml:3: Namespace 'NE\u00e4': metadata.name: 'NE\u00e4' is no valid name"
    ):
        load(["in.yaml"])


def test_aliases_that_explode(mistakes: Mistakes) -> None:
    levels = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10))
    assert mistakes("a0: &a0 x\n" + levels) == ["in.yaml:7: aliases stand for more than 1000000 values; write them out"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("metadata: {name: a}\nkind: Pod", "4: Pod default/a: kind: written twice in one mapping; keep one of the two"),
        ("metadata: {name: a, name: a}", "3: Namespace a: metadata.name: written twice in one mapping; "
         "keep one of the two"),
        ("metadata: {name: a, labels: {<<: {a: b}, <<: {c: d}}}", "3: Namespace a: metadata.labels[\"<<\"]: "
         "written twice in one mapping; keep one of the two"),
        ("metadata: {name: a, labels: {<<: [b]}}", "3: Namespace a: metadata.labels[\"<<\"]: "
         "only mappings can be merged; write << with an alias of a mapping"),
        ("metadata: {name: !secret a}", "3: Namespace a: metadata.name: the tag !secret says nothing here; "
         "write the value without it"),
        ("metadata: !!set {name: a}", "3: Namespace a: metadata: the tag !!set says nothing here; "
         "write the value without it"),
    ],
)  # fmt: skip
def test_yaml_that_hides_something(mistakes: Mistakes, fields: str, expected: str) -> None:
    assert mistakes(HEADER + fields + "\n")[-1] == f"in.yaml:{expected}"


def test_doubled_keys_in_json(mistakes: Mistakes, load_text: Callable[..., Cluster]) -> None:
    text = """{"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {
  "name": "x", "annotations": {"a": "\\u003c\\"b\\": \\/ \\ud83d\\ude00"}},
"spec": {"podSelector": {"matchLabels": {"a": "b"}},
  "podSelector": {}}}"""
    assert mistakes(text) == [
        "in.yaml:4: NetworkPolicy default/x: spec.podSelector: written twice in one mapping; keep one of the two"
    ]
    assert load_text(text.replace('},\n  "podSelector": {}}', "}}")).policies


def test_files_that_cannot_be_read(directory: Path) -> None:
    os.symlink("nowhere", directory / "dangling.yaml")
    (directory / "bad.yaml").write_text("kind: Namespace\na: [")
    (directory / "good.yaml").write_text(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: elsewhere}\nspec: {nodeName: 5}"
    )
    with pytest.raises(InputError) as caught:
        load(["missing.yaml", ".", "nul\0.yaml"])
    # Nothing about the namespace: its object may be in a file that could not be read.
    broken, *others = str(caught.value).splitlines()
    assert is_as_expected(broken, "./bad.yaml:3: not valid YAML: ...; check the indentation and quotes here")
    assert others == [
        "./dangling.yaml: cannot be read: no such file or directory; check the path and its permissions",
        "./good.yaml:4: Pod elsewhere/p: spec.nodeName: must be text, not the number 5; write it in quotes",
        "missing.yaml: cannot be read: no such file or directory; check the path and its permissions",
        r"nul\x00.yaml: cannot be read: a path holds no null character; check the path and its permissions",
    ]


def test_directory_without_manifests(directory: Path) -> None:
    (directory / "empty").mkdir()
    (directory / "empty" / "policy.txt").write_text("kind: NetworkPolicy")
    (directory / "good.yaml").write_text("{apiVersion: v1, kind: Namespace, metadata: {name: n}}")
    with pytest.raises(InputError) as caught:
        load(["good.yaml", "empty"])
    assert str(caught.value) == "empty: holds no .yaml, .yml or .json file; name the manifests"


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_stdin_has_lines(line_end: str) -> None:
    text = json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "A"}}, indent=1)
    with pytest.raises(InputError) as caught:
        load(["-", "-"], stdin=io.BytesIO(("\n" + text + "\n" + text).replace("\n", line_end).encode()))
    message = "Namespace A: metadata.name: 'A' is no valid name; use at most 63 lower-case letters, digits and '-'"
    assert str(caught.value).splitlines() == [f"-:6: {message}", f"-:13: {message}"]


def test_pipes_have_lines() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: A\n")
    os.close(writing)
    file = f"/dev/fd/{reading}"
    try:
        with pytest.raises(InputError) as caught:
            load([file])
    finally:
        os.close(reading)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.span == (file, 4)
