"""The matrix: the page of ``ovsnp matrix -o html`` in the frame of the console."""

from starlette.requests import Request
from starlette.responses import Response

from ovsnp.analysis.matrix.page import page_data
from ovsnp.analysis.matrix.view import View
from ovsnp.analysis.reach.parties import By
from ovsnp.console.pages.site import Site, said
from ovsnp.console.workspace.snapshot import WorkspaceSnapshot
from ovsnp.errors import UsageError
from ovsnp.render.page import script_data


def matrix(site: Site, request: Request, snapshot: WorkspaceSnapshot) -> Response:
    """Who reaches whom; the query chooses what a row stands for, and may choose rows and columns."""
    query = request.query_params
    by = next((each for each in By if each.value == query.get("by")), By.WORKLOAD)
    sources, destinations = (tuple(query.get(name, "").split()) for name in ("source", "destination"))
    refused: list[str] = []
    try:
        data = _data(snapshot, by, sources, destinations)
    except UsageError as error:
        refused = said(error)
        data = _data(snapshot, by, (), ())
    return site.page(
        request,
        "matrix.html.j2",
        "Who reaches whom",
        status=400 if refused else 200,
        data=data,
        by=by,
        choices=[*By],
        refused=refused,
    )


def _data(snapshot: WorkspaceSnapshot, by: By, sources: tuple[str, ...], destinations: tuple[str, ...]) -> str:
    """The data of the page's script; the whole matrix is worked out once."""

    def make() -> str:
        view = View(snapshot.reach(by), sources, destinations, service_cidrs=snapshot.service_cidrs)
        return script_data(page_data(view, snapshot.places))

    return make() if sources or destinations else snapshot.once(("matrix", by), make)
