"""Edits in every notation of files: what they leave alone, what they write, and what they refuse."""

import json
from typing import Any

import pytest
import yaml

from ovsnp.yaml_editor import EditRefusedError, FileText

COMMENTED = b"""\
# A file of two policies.

--- # the first
kind: NetworkPolicy  # kind
metadata:
  name: one   # name
spec:
  # For all pods.
  podSelector: {}
  ingress:
  - from:
    - podSelector: {matchLabels: {role: db}}   # flow
    # HTTP
    ports:
    - port: 80
---
kind: NetworkPolicy
metadata: {name: two}
...
# the end
"""


LABELS = ("spec", "ingress", 0, "from", 0, "podSelector", "matchLabels")


def edited(data: bytes, change: Any, document: int = 0, items: tuple[int, ...] = (), file: str = "a.yaml") -> bytes:
    """The file after a change of one object, which the function makes in place."""
    text = FileText(file, data)
    new = json.loads(json.dumps(text.value(document, items)))
    change(new)
    return text.replaced(document, items, new)


def put(*path: Any) -> Any:
    """A change: the last step is the value, the others lead to it."""
    *way, last, value = path

    def change(target: Any) -> None:
        for step in way:
            target = target[step]
        target[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "old", "new"),
    [
        (put("metadata", "name", "uno"), "name: one ", "name: uno "),
        (put("spec", "podSelector", {"matchLabels": {"a": "b"}}), " {}", "\n    matchLabels:\n      a: b"),
        (put("spec", "ingress", 0, "ports", 0, "port", "http"), "port: 80", "port: http"),
        (put("spec", "ingress", 0, "ports", 0, "port", "80"), "port: 80", 'port: "80"'),
        (put("spec", "ingress", 0, "ports", 0, "endPort", 90), "port: 80", "port: 80\n      endPort: 90"),
        (put("spec", "ingress", []), '\n  - from:\n    - podSelector: {matchLabels: {role: db}}   # flow\n'
         '    # HTTP\n    ports:\n    - port: 80', " []"),
        (put(*LABELS, "role", "a, b"), "role: db", "role: 'a, b'"),
        (put(*LABELS, "y", "y"), "role: db", 'role: db, "y": "y"'),
        (
            lambda policy: policy["spec"]["ingress"][0]["from"].append({"ipBlock": {"cidr": "::/0"}}),
            "   # flow\n",
            "   # flow\n    - ipBlock:\n        cidr: ::/0\n",
        ),
        (lambda policy: policy["spec"].pop("podSelector"), "  podSelector: {}\n", ""),
        (lambda policy: policy["spec"]["ingress"].insert(0, {}), "  - from:", "  - {}\n  - from:"),
        (lambda policy: policy["spec"]["ingress"][0].pop("from"),
         "from:\n    - podSelector: {matchLabels: {role: db}}   # flow\n    # HTTP", "# HTTP"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_only_what_changes_is_written(change: Any, old: str, new: str, newline: str, mark: bytes) -> None:
    data = mark + COMMENTED.replace(b"\n", newline.encode())
    old, new = old.replace("\n", newline), new.replace("\n", newline)
    assert data.count(old.encode()) in (1, 2)
    assert edited(data, change) == data.replace(old.encode(), new.encode(), 1)


def test_removed_document_takes_its_marker_and_comments() -> None:
    text = FileText("a.yaml", COMMENTED)
    first, second = COMMENTED.index(b"--- #"), COMMENTED.index(b"---\n")
    assert text.removed(0) == COMMENTED[:first] + COMMENTED[second:]
    assert text.removed(1) == COMMENTED[:second]


@pytest.mark.parametrize(
    ("data", "left"),
    [
        (b"a: 1\n", None),
        (b"---\na: 1\n...\n", None),
        (b"# about a\na: 1\n", None),
        (b"# the file\n\n# about a\na: 1\n", b"# the file\n\n"),
        (b"# the file\n---\na: 1\n", b"# the file\n"),
        (b"a: 1\n---\nb: 2", b"b: 2"),
        (b"# the file\n\na: 1\n---\nb: 2\n", b"# the file\n\n---\nb: 2\n"),
    ],
)
def test_what_is_left_of_a_file_without_its_first_document(data: bytes, left: bytes | None) -> None:
    assert FileText("a.yaml", data).removed(0) == left


LIST = b"""\
apiVersion: v1
kind: List
items:
- kind: NetworkPolicy   # one
  spec: {}
# between
- kind: NetworkPolicy   # two
  spec: {}
"""


def test_item_of_a_list() -> None:
    assert edited(LIST, put("spec", "policyTypes", ["Egress"]), 0, (1,)) == LIST.replace(
        b"# two\n  spec: {}", b"# two\n  spec:\n    policyTypes:\n    - Egress"
    )
    text = FileText("a.yaml", LIST)
    assert text.removed(0, (0,)) == LIST.replace(b"- kind: NetworkPolicy   # one\n  spec: {}\n", b"")
    one = FileText("a.yaml", text.removed(0, (0,)) or b"")
    assert yaml.safe_load(one.removed(0, (0,)) or b"")["items"] == []


ALIASES = b"""\
a: &labels {role: db}
b: *labels
c: &base
  x: 1
d:
  <<: *base
  y: 2
"""


@pytest.mark.parametrize(
    ("change", "old", "new"),
    [
        (put("b", {"role": "web"}), b"b: *labels", b"b:\n  role: web"),
        (put("d", "x", 5), b"  <<: *base\n", b"  <<: *base\n  x: 5\n"),
        (put("d", "y", 3), b"y: 2", b"y: 3"),
    ],
)
def test_value_of_an_alias_is_written_out(change: Any, old: bytes, new: bytes) -> None:
    assert edited(ALIASES, change) == ALIASES.replace(old, new)


@pytest.mark.parametrize("change", [put("a", "role", "web"), put("c", {"z": 1}), put("c", "x", 2), put("a", {})])
def test_change_that_would_reach_an_alias_is_refused(change: Any) -> None:
    with pytest.raises(EditRefusedError, match="other places"):
        edited(ALIASES, change)


def test_key_of_a_merge_is_removed_by_writing_the_rest_out() -> None:
    assert edited(ALIASES, lambda value: value["d"].pop("x")).endswith(b'd:\n  "y": 2\n')


JSON = b"""\
{
\t"kind": "List",
\t"items": [
\t\t{"kind": "NetworkPolicy", "smile": "\\ud83d\\ude00"},
\t\t{
\t\t\t"kind": "NetworkPolicy",
\t\t\t"spec": {}
\t\t}
\t]
}"""


def test_json_stays_json() -> None:
    made = edited(JSON, put("kind", "Other"), 0, (1,), "a.json")
    assert made == JSON.replace(b'\t\t\t"kind": "NetworkPolicy"', b'\t\t\t"kind": "Other"')
    made = edited(JSON, put("spec", {"ingress": [{}]}), 0, (1,), "a.json")
    assert made.startswith(JSON[: JSON.index(b'"spec"')])
    assert json.loads(made)["items"][1]["spec"] == {"ingress": [{}]}
    made = edited(JSON, put("new", 1), 0, (0,), "a.json")
    assert made == JSON.replace(b'00"}', b'00", "new": 1}')
    made = edited(JSON, put("new", 1), 0, (1,), "a.json")
    assert json.loads(made)["items"][1]["new"] == 1
    text = FileText("a.json", JSON)
    assert json.loads(text.removed(0, (0,)) or b"")["items"] == json.loads(JSON)["items"][1:]
    assert json.loads(text.appended({"kind": "Last"}))["items"][-1] == {"kind": "Last"}


def test_json_with_a_mark_and_several_documents() -> None:
    data = b'\xef\xbb\xbf{"a": "\xc3\xa9"}\n{"a": 2}\n'
    assert edited(data, put("a", 3), 1, (), "a.json") == data.replace(b"2", b"3")
    assert FileText("a.json", data).removed(0) == b'\xef\xbb\xbf{"a": 2}\n'
    with pytest.raises(EditRefusedError, match="holds one object"):
        FileText("a.json", b'{"a": 1}').appended({})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a: [", "line 2: not valid YAML"),
        ("a: 1\n".encode("utf-16"), "save it in UTF-8"),
        (b"a: \xff\n", "not UTF-8"),
        (b"a: 1\na: 1\n", "written twice"),
        (b"%YAML 1.1\n---\na: 1\n", "a directive"),
        (b"? a\n", "without a colon"),
    ],
)
def test_what_cannot_be_edited_is_told(data: bytes, message: str) -> None:
    with pytest.raises(EditRefusedError, match=message):
        edited(data, put("a", 2))


def test_object_that_is_not_there_is_told() -> None:
    for place in ((5, ()), (0, (7,)), (1, (0,)), (-1, ()), (0, (-1,))):
        with pytest.raises(EditRefusedError, match="no longer there"):
            FileText("a.yaml", COMMENTED).value(*place)


def test_characters_that_are_none_are_told() -> None:
    with pytest.raises(EditRefusedError, match="UTF-8 does not have"):
        edited(b'{"a": 1}', lambda value: value.update(a="\ud800"), file="a.json")


@pytest.mark.parametrize(
    ("data", "start"),
    [(b"", b""), (b"# c\n", b"# c\n"), (b"a: 1", b"a: 1\n---\n"), (b"a: 1\r\n", b"a: 1\r\n---\r\n")],
)
def test_addition_at_the_end(data: bytes, start: bytes) -> None:
    made = FileText("a.yaml", data).appended({"b": {"c": 1}})
    assert made == start + (b"b:\r\n  c: 1\r\n" if b"\r" in data else b"b:\n  c: 1\n")
