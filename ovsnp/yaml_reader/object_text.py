"""The text of one object as it stands in its file."""

import re
from typing import Any, NamedTuple

import msgspec
import yaml

from ovsnp.errors import Place
from ovsnp.yaml_reader.json_text import item_slices
from ovsnp.yaml_reader.notation import read_documents
from ovsnp.yaml_reader.outline import NotationError, Outline
from ovsnp.yaml_reader.sources import read_again

_MARKER = re.compile(r"(---|\.\.\.)(\s|$)")
"""A line that begins or ends a document (YAML 1.2, 9.1.2); no scalar may contain one."""


class ObjectText(NamedTuple):
    """Whole lines of a file, and the number of the first one (from 1)."""

    first: int
    text: str


def object_text(place: Place) -> ObjectText | None:
    """The lines of an object, with the comments of its document; None if the file no longer has the object.

    An object in a List is shown with its own lines, or with the whole document where its lines cannot be told apart.
    """
    try:
        data = read_again(place.file)
        documents = read_documents(place.file, data, lines=True)
        lines = data.decode().splitlines()
        if documents.yaml:
            return _excerpt(lines, *_yaml_lines(lines, documents.yaml[place.document], place.items))
        start, end = documents.json[place.document].where
        for item in place.items:
            start, end = item_slices(data, (start, end))[item]
        return _excerpt(lines, data.count(b"\n", 0, start), data.count(b"\n", 0, end) + 1)
    except (OSError, ValueError, LookupError, NotationError, msgspec.MsgspecError):
        return None


def as_yaml(value: Any) -> str:
    """An object that is in no file, as YAML with the fields in their order."""
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=120)


def _excerpt(lines: list[str], start: int, end: int) -> ObjectText:
    """The lines from ``start`` to before ``end`` (from 0), without empty lines around them."""
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
