"""The text that belongs to one document of a YAML file."""

import re
from collections.abc import Sequence

from ovsnp.yaml_editor.lines import LineMap
from ovsnp.yaml_editor.removing import Cut
from ovsnp.yaml_editor.yaml_nodes import UnusualTextError, YamlDocument

_BARE_MARKER = re.compile(r"---[ \t]*(?:\r?\n|$)")
_HEADER = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\n)*[ \t]*#[^\n]*\n(?:[ \t]*\r?\n)+")
_NOTHING = re.compile(r"(?:\s|^(?:---|\.\.\.)[ \t]*$)*", re.MULTILINE)


def section_cut(lines: LineMap, documents: Sequence[YamlDocument], index: int) -> Cut:
    """The part to remove for a document: from its ``---`` to the next, with the comments between them.

    Of the first document, comments before its ``---`` stay. Without a ``---``, comments that a blank line separates
    from the document stay: they are about the file. Raises UnusualTextError for a later document without a ``---``.
    """
    if any(each.marker is None for each in documents[1:]):
        raise UnusualTextError("a document without --- before it")
    following = documents[index + 1 :]
    end = following[0].marker if following and following[0].marker is not None else len(lines.text)
    start = documents[index].marker
    if start is not None:
        return Cut(start, end)
    header = _HEADER.match(lines.text, 0, documents[index].root.start)
    if header is None and (bare := _BARE_MARKER.match(lines.text, end)):
        return Cut(0, bare.end())
    return Cut(header.end() if header else 0, end)


def is_empty(text: str) -> bool:
    """True if a text has neither a value nor a comment."""
    return _NOTHING.fullmatch(text) is not None
