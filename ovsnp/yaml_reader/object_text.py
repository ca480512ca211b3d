"""The text of one object as it stands in its file."""

import re
from typing import NamedTuple

from ovsnp.yaml_reader.json_text import Slice
from ovsnp.yaml_reader.outline import Outline

_MARKER = re.compile(r"(---|\.\.\.)(\s|$)")
"""A line that begins or ends a document (YAML 1.2, 9.1.2); no scalar may contain one."""


class ObjectText(NamedTuple):
    """Whole lines of a file, and the number of the first one (from 1)."""

    first: int
    text: str


def json_text(data: bytes, where: Slice) -> ObjectText:
    """The lines of a value in JSON, whole."""
    start, end = where
    start = data.rfind(b"\n", 0, start) + 1
    end = len(data) if (after := data.find(b"\n", end)) < 0 else after
    return ObjectText(data.count(b"\n", 0, start) + 1, data[start:end].decode())


def yaml_text(data: bytes, outline: Outline, items: tuple[int, ...]) -> ObjectText:
    """The lines of an object in YAML, with the comments of its document; ``items`` are indexes into Lists.

    An object in a List has its own lines, or the whole document where its lines cannot be told apart.
    """
    lines = data.decode().splitlines()
    start, end = _yaml_lines(lines, outline, items)
    while start < end and not lines[start].strip():
        start += 1
    while end > start and not lines[end - 1].strip():
        end -= 1
    return ObjectText(start + 1, "\n".join(lines[start:end]))


def _yaml_lines(lines: list[str], outline: Outline, items: tuple[int, ...]) -> tuple[int, int]:
    """The first line of an object (from 0), and the line after its last one."""
    start = end = outline.line(()) - 1
    while start and not _MARKER.match(lines[start - 1]):
        start -= 1
    while end < len(lines) and not (_MARKER.match(lines[end]) and end >= outline.line(())):
        end += 1
    way: tuple[str | int, ...] = ()
    for item in items:
        way = (*way, "items", item)
        following = (*way[:-1], item + 1)
        first = outline.lines.get(way, 0) - 1
        if not lines[first].lstrip().startswith("- "):
            return start, end
        last = outline.lines[following] - 1 if following in outline.lines else _dedent(lines, first, end)
        start, end = first, last
    return start, end


def _dedent(lines: list[str], first: int, end: int) -> int:
    """The first line after the item of a block sequence at ``first``."""
    depth = len(lines[first]) - len(lines[first].lstrip())
    for number in range(first + 1, end):
        text = lines[number].lstrip()
        if text and len(lines[number]) - len(text) <= depth:
            return number
    return end
