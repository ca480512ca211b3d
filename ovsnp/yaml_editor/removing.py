"""Cuts entries out of a text."""

from collections.abc import Iterable
from typing import NamedTuple

from ovsnp.yaml_editor.lines import LineMap
from ovsnp.yaml_editor.nodes import TextNode


class Cut(NamedTuple):
    """A part of the text, and the text in its place."""

    start: int
    end: int
    text: str = ""


def applied(text: str, cuts: Iterable[Cut]) -> str:
    """The text with all parts replaced; a part may begin where another one begins or ends."""
    parts: list[str] = []
    at = 0
    for cut in sorted(cuts, key=lambda each: (each.start, each.end)):
        parts += [text[at : max(at, cut.start)], cut.text]
        at = max(at, cut.end)
    return "".join([*parts, text[at:]])


def cut_of(lines: LineMap, node: TextNode, run: range) -> Cut:
    """The part to remove for neighbouring entries, of which at least one stays.

    In a block the lines go, with the comments at their ends and between them; comments on lines of their own before and
    after stay.
    """
    first, last = node.entries[run.start], node.entries[run.stop - 1]
    end = max(last.value.end, last.after)
    if node.style.is_flow:
        if run.stop < len(node.entries):
            return Cut(first.start, node.entries[run.stop].start)
        before = node.entries[run.start - 1]
        return Cut(max(before.value.end, before.after), end)
    if not lines.begins(first.start):
        return Cut(first.start, _next_content(lines, end))
    start = lines.start(first.start)
    if lines.text[end - 1] == "\n":
        return Cut(start, end)
    return Cut(start, lines.following(end))


def _next_content(lines: LineMap, end: int) -> int:
    """The offset of the next character after the line on which a value ends."""
    at = end if lines.text[end - 1] == "\n" else lines.following(end)
    return at + len(lines.text[at:]) - len(lines.text[at:].lstrip())
