"""The comments of a file that are found, and the lines that they are about."""

from pathlib import Path

import pytest

from ovsnp.manifests import load
from ovsnp.yaml_reader.comments import comments

TEXT = """\
# x: file
---
# x: head
a: "# x: quoted"  # x: behind
b: |
  # x: block
# x: own

# another
c:
  - é  # x: accent
  # x: before
  - {p: 1,
     # x: flow
     q: 'r
  # x: str
  s'}
# x: between
---
d: 1
e: 2
...
# x: end
"""


def found(text: str, file: str = "in.yaml") -> dict[str, tuple[int, int, int]]:
    Path(file).write_text(text, encoding="utf-8")
    return {each.text: (each.line, each.first, each.last) for each in comments(file, "x:")}


def test_lines_that_comments_are_about() -> None:
    assert found(TEXT) == {
        "x: file": (1, 4, 17),
        "x: head": (3, 4, 17),
        "x: behind": (4, 4, 4),
        "x: own": (7, 10, 10),
        "x: accent": (11, 11, 11),
        "x: before": (12, 13, 13),
        "x: flow": (14, 15, 15),
        "x: between": (18, 20, 21),
        "x: end": (23, 23, 22),
    }


@pytest.mark.parametrize("start", ["\ufeff", "%YAML 1.1\n---\n", "\r\n"])
def test_first_comment_is_about_the_document_however_the_file_begins(start: str) -> None:
    lines = (start + "# x: head\r\na: 1\r\nb: 2\r\n").splitlines()
    first = next(number for number, line in enumerate(lines, 1) if line == "a: 1")
    assert found("\n".join(lines) + "\n") == {"x: head": (first - 1, first, first + 1)}


def test_line_breaks_of_windows_are_no_part_of_a_comment() -> None:
    Path("in.yaml").write_bytes(b"a: 1  # x: one\r\n# x: two\r\nb: 2\r\n")
    assert [(each.text, each.first, each.last) for each in comments("in.yaml", "x:")] == [
        ("x: one", 1, 1),
        ("x: two", 3, 3),
    ]


def test_json_and_files_that_are_gone_have_none() -> None:
    assert found('{"a": "# x: no",\n\t"b": 1}\n', "in.json") == {}
    assert comments("none.yaml", "x:") == []


def test_stdin_has_them_too() -> None:
    with Path("in").open("wb+") as stream:
        stream.write(b"# x: head\napiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n")
        stream.seek(0)
        load(["-"], stdin=stream)
    assert [(each.text, each.first, each.last) for each in comments("-", "x:")] == [("x: head", 2, 4)]
