"""A part of a long table."""

from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeVar

Row = TypeVar("Row")

_ROWS = 200


class TablePart(NamedTuple, Generic[Row]):
    """The rows of one page of a table; pages and rows are numbered from 1, and ``total`` counts the rows of all."""

    rows: Sequence[Row]
    page: int
    pages: int
    total: int

    @property
    def first(self) -> int:
        """The number of the first row; 0 if there is none."""
        return (self.page - 1) * _ROWS + 1 if self.rows else 0

    @property
    def last(self) -> int:
        """The number of the last row."""
        return (self.page - 1) * _ROWS + len(self.rows)


def part_of(rows: Sequence[Row], page: str) -> TablePart[Row]:
    """The page that a query names; the nearest one if there is none of this number."""
    pages = max(1, -(-len(rows) // _ROWS))
    number = min(max(int(page), 1), pages) if page.isascii() and page.isdigit() and len(page) < 9 else 1
    return TablePart(rows[(number - 1) * _ROWS : number * _ROWS], number, pages, len(rows))
