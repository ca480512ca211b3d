"""Judged expectations with their lines in the files."""

from collections.abc import Iterable
from typing import NamedTuple

from ovsnp.analysis.check.judging import Judged
from ovsnp.analysis.check.reading import Expectation
from ovsnp.errors import Span
from ovsnp.yaml_reader.location import Locator


class Placed(NamedTuple):
    """A judged expectation, and the line of its entry."""

    judged: Judged
    span: Span


def place(judged: Iterable[Judged]) -> list[Placed]:
    """Find the lines, reading each file once."""
    locator = Locator()
    return [Placed(each, _span(locator, each.asked.expectation)) for each in judged]


def _span(locator: Locator, expectation: Expectation) -> Span:
    return locator.span(expectation.place, expectation.ways.entry)
