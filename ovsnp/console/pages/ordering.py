"""The order of a table, as the query of its page says it."""

from collections.abc import Mapping
from typing import NamedTuple, Self

from starlette.requests import Request

from ovsnp.console.pages.site import with_query

_DESCENDING = "descending"


class TableOrder(NamedTuple):
    """The column by which a table is sorted, and the links that sort it anew.

    ``columns`` are the titles of the columns by name; all of them can be sorted.
    """

    request: Request
    columns: Mapping[str, str]
    column: str
    descending: bool

    @classmethod
    def of(cls, request: Request, columns: Mapping[str, str]) -> Self:
        """The order that the query says; by namespace if it says none."""
        chosen = request.query_params.get("sort", "")
        column = chosen if chosen in columns else "namespace"
        return cls(request, columns, column, request.query_params.get("order") == _DESCENDING)

    def link(self, column: str) -> str:
        """The query that sorts by a column, or turns the order of this column round."""
        turned = column == self.column and not self.descending
        return with_query(self.request, sort=column, order=_DESCENDING if turned else "", page="", deleted="")
