"""Files, classes and functions stay small: a function fits on a screen, a file or a class in a reader's memory."""

import ast
from collections.abc import Iterator

import pytest

from tests.support.checkout import ROOT

FILES = sorted((ROOT / "ovsnp").rglob("*.py"))
MOST_IN_FILE = 320
MOST_IN = {ast.FunctionDef: 45, ast.AsyncFunctionDef: 45, ast.ClassDef: 230}


def too_large(source: str) -> Iterator[str]:
    """The file, and the classes and functions in it, that have too many lines."""
    if len(source.splitlines()) > MOST_IN_FILE:
        yield "the file"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > MOST_IN[type(node)]:
                yield f"{node.name}, {lines} lines"


@pytest.mark.parametrize("file", [str(file.relative_to(ROOT)) for file in FILES])
def test_nothing_is_too_large(file: str) -> None:
    assert list(too_large((ROOT / file).read_text())) == []


def test_what_is_too_large_is_found() -> None:
    assert list(too_large("\n" * 321)) == ["the file"]
    assert list(too_large("def f():\n" + "    pass\n" * 45)) == ["f, 46 lines"]
    assert list(too_large("class C:\n" + "    x = 1\n" * 230)) == ["C, 231 lines"]
