"""The lines that commands print, as lines of a page: with styles by name, and with links to policies."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

from rich.text import Text

_CLASSES = {
    "bold": "strong",
    "bold green": "allowed",
    "bold red": "denied",
    "bold yellow": "mixed",
    "dim": "place",
    "cyan": "need",
}
_DEEPEST = 12


class SaidPart(NamedTuple):
    """A part of a line: its text, its class (may be empty) and the page that it leads to (empty: none)."""

    text: str
    style: str
    url: str


class SaidLine(NamedTuple):
    """A line, with the number of spaces before it."""

    indent: int
    parts: tuple[SaidPart, ...]


def said_lines(lines: Iterable[Text], links: Mapping[str, str]) -> list[SaidLine]:
    """The lines; a part whose text ``links`` names leads to that page."""
    return [SaidLine(min(_indent(line.plain), _DEEPEST), tuple(_parts(line, links))) for line in lines]


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())


def _parts(line: Text, links: Mapping[str, str]) -> Iterator[SaidPart]:
    plain, first = line.plain, _indent(line.plain)
    cuts = {first, len(plain), *(cut for span in line.spans for cut in (span.start, span.end) if cut > first)}
    for start, end in pairwise(sorted(cuts)):
        styles = [str(span.style) for span in line.spans if span.start <= start and end <= span.end]
        text = plain[start:end]
        style = _CLASSES.get([str(line.style), *styles][-1], "")
        if url := links.get(text.strip()):
            yield SaidPart(text[: _indent(text)], "", "")
            text = text.strip()
        yield SaidPart(text, style, url or "")
