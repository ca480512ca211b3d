"""What is not as expected, for people: each with its place, and what `explain` says of it."""

from collections.abc import Iterator, Sequence

from rich.text import Text

from ovsnp.check.judging import Judged
from ovsnp.check.placed import Placed
from ovsnp.errors import Span
from ovsnp.explain.places import Places
from ovsnp.explain.text import lines

_INDENT = "  "


def text_lines(placed: Sequence[Placed]) -> Iterator[Text]:
    """``FILE:LINE: expected denied, but it is allowed`` and the reasons below it, for each that is not met."""
    places = Places()
    for judged, span in (each for each in placed if not each.judged.met):
        asked = judged.asked
        yield Text.assemble((where(span), "bold"), f": {_difference(judged)}")
        for line in lines(asked.question, judged.answers, places):
            yield Text(_INDENT if line else "").append_text(line)


def where(span: Span) -> str:
    """``FILE:LINE``; the file alone where the line is unknown."""
    return f"{span.file}:{span.line}" if span.line else span.file


def _difference(judged: Judged) -> str:
    return f"expected {judged.asked.expectation.expected}, but it is {judged.outcome}"


def summary(placed: Sequence[Placed]) -> str:
    """How many expectations there are, and how many are not met."""
    unmet = sum(not each.judged.met for each in placed)
    count = f"{len(placed)} expectation{'' if len(placed) == 1 else 's'}"
    return f"{count}, {unmet} not met" if unmet else f"{count} met"
