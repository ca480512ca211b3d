"""Decides by the text of a template, which cannot be parsed, whether a policy may come from it."""

import re
from collections.abc import Iterator
from typing import NamedTuple

ACTION = "{{"
"""The beginning of an action, which is a placeholder in a template."""

_END = b"}}"
_MAKES_OBJECTS = re.compile(rb"\b(?:include|template|tpl|toYaml)\b")
"""The functions that insert other templates, and values, as text."""
_BEGIN = re.compile(rb"\s*(?:\{\{|#|---)")
_NO_TEXT = re.compile(rb"\s*(?:#.*|---\s*)?")

_REPLACED_KIND = re.compile(rb"(?<![\w./-])kind[\"']?\s*:\s*[\"']?\{\{")
_LINE = re.compile(rb"^(?P<indent>(?:\{\{.*?\}\}|[ \t]|-[ \t])*)(?P<rest>.*)$", re.MULTILINE)
"""A line: its spaces, dashes and leading actions as ``indent``, the text after them as ``rest``."""
_LEADING_ACTION = re.compile(rb"\{\{.*?\}\}")
_FIELD = re.compile(rb"[\"']?(?!items\b)[\w./-]*[\"']?[ \t]*:(?=\s|$)")
"""A field other than ``items``, in which a List has its objects."""
_PARENT = re.compile(_FIELD.pattern + rb"[ \t]*(?:[|>&!{#].*)?\s*")
"""A field with its value in the next lines, or with a block of text."""


class _Line(NamedTuple):
    """A line that is not empty: the offset and the column of its text; ``dash`` is the column of the first dash."""

    start: int
    column: int
    dash: int
    text: bytes


def replaced_kind(text: bytes) -> int | None:
    """The offset where a template replaces the kind of an object; None if it replaces kinds of inner fields at most."""
    kinds = [*_REPLACED_KIND.finditer(text)]
    kinds.reverse()
    outer: list[_Line] = []
    in_brackets = False
    for line in _lines(text) if kinds else ():
        if begins := line.text.startswith(b"---"):
            outer.clear()
        if not outer:
            in_brackets = begins or line.text.startswith((b"{", b"["))
        while kinds and kinds[-1].start() < line.start + len(line.text):
            kind = kinds.pop()
            before = text[line.start : kind.start()]
            if kind.start() >= line.start and (in_brackets or not _is_inner(line, before, outer)):
                return kind.end()
        while outer and outer[-1].dash >= line.dash:
            outer.pop()
        if not begins:
            outer.append(line)
    return None


def only_includes(text: bytes) -> bool:
    """True if all text of a template comes from other templates and from values: that may be any object."""
    if not _BEGIN.match(text):
        return False
    first, *parts = text.split(ACTION.encode())
    pairs = [part.partition(_END) for part in parts]
    lines = b"".join([first, *(after for _, _, after in pairs)]).split(b"\n")
    return any(_MAKES_OBJECTS.search(action) for action, _, _ in pairs) and all(map(_NO_TEXT.fullmatch, lines))


def _lines(text: bytes) -> Iterator[_Line]:
    for match in _LINE.finditer(text):
        rest = match["rest"]
        if rest.strip() and not rest.startswith(b"#"):
            indent = _LEADING_ACTION.sub(b"", match["indent"])
            yield _Line(match.start("rest"), len(indent), len(indent) - len(indent.lstrip()), rest)


def _is_inner(line: _Line, before: bytes, outer: list[_Line]) -> bool:
    """True if the kind after ``before`` on a line is inside the value of a field; ``outer`` are the lines around it."""
    if before.strip(b"\"' ?"):
        return _FIELD.match(before) is not None
    parent = next((each for each in reversed(outer) if each.dash < line.column), None)
    if parent is None or line.dash < line.column:
        return False
    return parent.column < line.column and _PARENT.fullmatch(parent.text) is not None
