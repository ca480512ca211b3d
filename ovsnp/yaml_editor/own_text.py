"""The lines of a file that are the text of one object, taken out and put back."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from ovsnp.yaml_editor.lines import LineMap
from ovsnp.yaml_editor.nodes import Style, TextEntry
from ovsnp.yaml_editor.yaml_nodes import YamlDocument

_BOUND = re.compile(r"^(?:---|\.\.\.)(?=\s|$)", re.MULTILINE)
"""A line that begins or ends a document."""

_REST_OF_MARKER = re.compile(r"[ \t]*(?:#[^\n]*)?\r?\n")
_LEADING_MARKER = re.compile(r"\s*---[ \t]*\n")


class OwnLines(NamedTuple):
    """The part of a file that is the text of one object; ``column`` is where its lines begin."""

    start: int
    end: int
    column: int = 0


def document_lines(lines: LineMap, documents: Sequence[YamlDocument], index: int) -> OwnLines:
    """The lines of a document with its comments: all between its ``---`` and the end of the document.

    Blank lines at both ends do not belong to it.
    """
    text, (root, marker) = lines.text, documents[index]
    start = 0
    if marker is not None:
        start = marker + len("---")
        start = rest.end() if (rest := _REST_OF_MARKER.match(text, start)) else start
    elif index:
        ended = _BOUND.search(text, documents[index - 1].root.end)
        start = lines.following(ended.start()) if ended else root.start
    bound = _BOUND.search(text, max(start, root.end))
    return _without_blank_ends(lines, start, bound.start() if bound else len(text))


def item_lines(lines: LineMap, entry: TextEntry) -> OwnLines | None:
    """The lines of an item of a block sequence, without its dash; None for an item in another notation."""
    node = entry.value
    beside_dash = not lines.text[entry.after : node.start].strip(" ")
    if node.style is not Style.BLOCK_MAPPING or node.start != node.body or not beside_dash:
        return None
    end = node.end if lines.text[node.end - 1] == "\n" else lines.following(node.end)
    return OwnLines(node.start, end, lines.column(node.start))


def taken_out(text: str, own: OwnLines) -> str | None:
    """The lines as a text by itself, with LF at their ends; None if a line begins before the column."""
    first, *others = text[own.start : own.end].replace("\r\n", "\n").split("\n")
    found = [first]
    for line in others:
        indent = line[: own.column]
        if indent.strip(" ") and not line.lstrip().startswith("#"):
            return None
        found.append(line.lstrip(" ") if indent.strip(" ") else line[own.column :])
    return "\n".join(found)


def put_back(lines: LineMap, own: OwnLines, written: str) -> str:
    """The whole text with another text in the place of the lines; ``written`` has LF at the ends of its lines."""
    text = lines.text
    if own.start and (marker := _LEADING_MARKER.match(written)):
        written = written[marker.end() :]
    found = lines.indented(written.removesuffix("\n").split("\n"), own.column)
    beside_marker = not own.column and lines.start(own.start) != own.start
    before = lines.newline if beside_marker else ""
    return text[: own.start] + before + lines.newline.join([*found, ""]) + text[own.end :]


def _without_blank_ends(lines: LineMap, start: int, end: int) -> OwnLines:
    body = lines.text[start:end]
    filled = start + len(body) - len(body.lstrip())
    last = min(end, lines.following(start + len(body.rstrip())))
    return OwnLines(lines.start(filled) if lines.start(start) == start else filled, last)
