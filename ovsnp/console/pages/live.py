"""Drops and connections of this node, as its agent tells them over its control socket."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from ovsnp.agent.serving.control_client import ask, ask_lines
from ovsnp.agent.traffic.drop_document import DropLine
from ovsnp.agent.traffic.live_connections import ConnectionsDocument
from ovsnp.console.pages.site import Site, said
from ovsnp.console.pages.templating import render
from ovsnp.console.workspace.snapshot import WorkspaceSnapshot
from ovsnp.errors import AgentError

_SHOWN = 200
"""The most lines of either kind, the newest drops first."""

_read_drop = msgspec.json.Decoder(DropLine).decode


class TrafficLines(NamedTuple):
    """Lines as the commands print them, and why there are none, in sentences."""

    lines: Sequence[str]
    refused: Sequence[str]


def live(site: Site, request: Request, _: WorkspaceSnapshot) -> Response:
    """The page; a script of the page asks again and again for `live_lines`."""
    return site.page(
        request,
        "live.html.j2",
        "Live",
        traffic=_traffic(site, request),
        pod=_pod(request),
        socket=str(site.control_socket),
        there=site.control_socket.exists(),
    )


def live_lines(site: Site, request: Request, _: WorkspaceSnapshot) -> Response:
    """The lines alone."""
    return HTMLResponse(render("live_lines.html.j2", {"traffic": _traffic(site, request)}))


def _traffic(site: Site, request: Request) -> dict[str, TrafficLines]:
    pod = _pod(request)
    return {"Drops": _asked(lambda: _drops(site, pod)), "Connections": _asked(lambda: _connections(site, pod))}


def _asked(read: Callable[[], Sequence[str]]) -> TrafficLines:
    try:
        return TrafficLines(read(), ())
    except AgentError as error:
        return TrafficLines((), said(error))


def _drops(site: Site, pod: str) -> list[str]:
    lines = [*ask_lines(site.control_socket, "/drops", _read_drop)]
    return [str(each) for each in reversed(lines) if not pod or each.concerns(pod)][:_SHOWN]


def _connections(site: Site, pod: str) -> list[str]:
    found = ask(site.control_socket, "/connections", ConnectionsDocument).connections
    wanted = (each for each in found if not pod or pod in (each.source.pod, each.destination.pod))
    return [*map(str, wanted)][:_SHOWN]


def _pod(request: Request) -> str:
    """The pod that the query names; a name alone is of the namespace default."""
    pod = request.query_params.get("pod", "").strip()
    return pod if "/" in pod or not pod else f"default/{pod}"
