"""The matrix in every output notation."""

from collections.abc import Callable, Iterator

from ovsnp.analysis.matrix.dot import dot_lines
from ovsnp.analysis.matrix.matrix_document import document
from ovsnp.analysis.matrix.matrix_text import text_lines
from ovsnp.analysis.matrix.page import page_data
from ovsnp.analysis.matrix.table import csv_text
from ovsnp.analysis.matrix.view import View
from ovsnp.analysis.wording.places import Places
from ovsnp.document import document_text
from ovsnp.render.page import render_page


def output(view: View, notation: str, width: int | None = None) -> Iterator[str]:
    """The whole output in parts; ``notation`` is text, json, csv, dot or html; ``width`` limits the columns of text."""
    return _text(view, width) if notation == "text" else _NOTATIONS[notation](view)


def _text(view: View, width: int | None) -> Iterator[str]:
    yield from (f"{line}\n" for line in text_lines(view, width))


def _json(view: View) -> Iterator[str]:
    yield document_text(document(view, Places()))


def _dot(view: View) -> Iterator[str]:
    yield from (f"{line}\n" for line in dot_lines(view))


def _html(view: View) -> Iterator[str]:
    yield render_page(page_data(view, Places()))


_NOTATIONS: dict[str, Callable[[View], Iterator[str]]] = {
    "json": _json,
    "csv": csv_text,
    "dot": _dot,
    "html": _html,
}
