"""Comments in YAML: their lines, and the lines that they are about."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import Any, NamedTuple

from ovsnp.yaml_reader.sources import read_again

_COMMENT = re.compile(r"#[# \t]*(.*)")


class Comment(NamedTuple):
    """A comment: its text without ``#``, its line, and the first and last line that it is about.

    A comment after other text is about its own line. A comment on a line of its own is about the next line that has
    text; if that line is the first of a document, about the whole document. If no such line follows, ``last`` is less
    than ``first``.
    """

    text: str
    line: int
    first: int
    last: int


def comments(file: str, word: str) -> list[Comment]:
    """The comments that begin with ``word``, in a YAML file that was read before.

    Empty for a file that no longer exists or is no valid YAML. The word is searched for first, so a file without it
    costs little.
    """
    try:
        data = read_again(file)
        text = data.decode("utf-8-sig") if word.encode() in data else ""
    except (OSError, ValueError):
        return []
    if word not in text:
        return []
    import yaml  # noqa: PLC0415 -- only files with such comments need it

    try:
        return [comment for comment in _comments(text, yaml) if comment.text.startswith(word)]
    except yaml.YAMLError:
        return []


def has_comment(text: str) -> bool:
    """True if YAML has a comment, or if it is not valid, so that this cannot be told."""
    import yaml  # noqa: PLC0415 -- only files with such comments need it

    try:
        return "#" in text and any(True for _ in _comments(text, yaml))
    except yaml.YAMLError:
        return True


def _comments(text: str, yaml: Any) -> Iterator[Comment]:
    documents, bare = _layout(text, yaml)
    starts = {lines[0]: lines[-1] for lines in documents if lines}
    filled = sorted({line for lines in documents for line in lines})
    for start, end, line in bare:
        for number, part in enumerate(text[start:end].split("\n"), line):
            if not (match := _COMMENT.search(part)):
                continue
            said, place = match[1].rstrip(), bisect_right(filled, number)
            if place and filled[place - 1] == number:
                yield Comment(said, number, number, number)
            elif place < len(filled):
                yield Comment(said, number, filled[place], starts.get(filled[place], filled[place]))
            else:
                yield Comment(said, number, number, number - 1)


def _layout(text: str, yaml: Any) -> tuple[list[list[int]], list[tuple[int, int, int]]]:
    """The lines that have text in each document, in order, and the parts of the text that no token covers.

    A part is its first offset, its end offset and its first line. Lines start at 1.
    """
    documents: list[list[int]] = [[]]
    bare: list[tuple[int, int, int]] = []
    offset, line = 0, 1
    for token in yaml.scan(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        start, end = token.start_mark, token.end_mark
        if start.index > offset:
            bare.append((offset, start.index, line))
        if isinstance(token, yaml.DocumentStartToken | yaml.DocumentEndToken):
            documents.append([])
        elif end.index > start.index:
            # A block of text ends where the next line begins.
            documents[-1] += range(max(start.line + 1, *documents[-1][-1:], 1), end.line + (2 if end.column else 1))
        if end.index > offset:
            offset, line = end.index, end.line + 1
    return documents, [*bare, (offset, len(text), line)]
