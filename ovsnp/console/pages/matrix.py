"""The matrix: the page of ``ovsnp matrix -o html`` in the frame of the console."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from ovsnp.analysis.matrix.page import page_data
from ovsnp.analysis.matrix.view import View
from ovsnp.analysis.reach.parties import By
from ovsnp.console.pages.awaited import ANSWER, COMPARING, Steps, awaited
from ovsnp.console.pages.site import Site, said
from ovsnp.console.pages.templating import render
from ovsnp.console.workspace.snapshot import WorkspaceSnapshot
from ovsnp.errors import UsageError
from ovsnp.render.page import script_data


def matrix(site: Site, request: Request, snapshot: WorkspaceSnapshot) -> Response:
    """Who reaches whom; the query chooses what a row stands for, and may choose rows and columns."""
    query = request.query_params
    by = next((each for each in By if each.value == query.get("by")), By.WORKLOAD)
    ends = query.get("source", "").split(), query.get("destination", "").split()
    page = site.page(request, "matrix.html.j2", "Who reaches whom", by=by, choices=[*By], answer=ANSWER)
    return awaited(page, _drawn(snapshot, by, *ends))


def matrix_data(snapshot: WorkspaceSnapshot, by: By) -> str:
    """The data of the page's script, for all rows and columns; worked out once."""
    return snapshot.once(("matrix", by), lambda: _data(snapshot, by, (), ()))


def _drawn(snapshot: WorkspaceSnapshot, by: By, sources: list[str], destinations: list[str]) -> Steps:
    if not snapshot.has_relation:
        yield COMPARING
    snapshot.relation()
    yield "Writing down who reaches whom …"
    refused: list[str] = []
    if sources or destinations:
        try:
            data = _data(snapshot, by, sources, destinations)
        except UsageError as error:
            refused = said(error)
    if refused or not (sources or destinations):
        data = matrix_data(snapshot, by)
    return render("matrix_answer.html.j2", {"data": data, "refused": refused})


def _data(snapshot: WorkspaceSnapshot, by: By, sources: Sequence[str], destinations: Sequence[str]) -> str:
    view = View(snapshot.reach(by), sources, destinations, service_cidrs=snapshot.service_cidrs)
    return script_data(page_data(view, snapshot.places))
