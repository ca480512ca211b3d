"""What all pages share: the workspace, the frame around a page, and the refusals."""

from collections.abc import Callable, Sequence
from functools import wraps
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from ovsnp import __version__
from ovsnp.console.editor.drafts import Drafts
from ovsnp.console.editor.stores import PolicyStore
from ovsnp.console.pages.templating import render
from ovsnp.console.saving import Verb
from ovsnp.console.workspace.snapshot import WorkspaceSnapshot
from ovsnp.console.workspace.workspace import Workspace, WorkspaceState
from ovsnp.errors import OvsnpError
from ovsnp.model.policy import NetworkPolicy

READ_ONLY = "This console was started with --read-only, so it writes nothing."

_OUT_OF_DATE = (
    "Nothing can be saved now: the objects have mistakes, and what a change does is known only without them. Mend the"
    " objects first (Input lists the mistakes); then press Check, or load the page of a deletion again."
)

_MOST_FIELDS = 20_000
"""The most fields of a form."""

Fields = Sequence[tuple[str, str]]
"""The fields of a posted form, in their order; a name may come several times."""


class NavigationItem(NamedTuple):
    """A link that every page has."""

    path: str
    title: str


NAVIGATION = (
    NavigationItem("/policies", "Policies"),
    NavigationItem("/explain", "Explain"),
    NavigationItem("/matrix", "Matrix"),
    NavigationItem("/pods", "Pods"),
    NavigationItem("/live", "Live"),
    NavigationItem("/input", "Input"),
)


class Site(NamedTuple):
    """What a page may use.

    ``control_socket`` is the socket of this host's agent; ``drafts`` judges what a user types.
    """

    workspace: Workspace
    store: PolicyStore
    read_only: bool
    control_socket: Path
    drafts: Drafts

    def page(self, request: Request, template: str, title: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """A page in the frame of the console."""
        state = self.state(request)
        session = request.scope.get("session")
        frame = {
            "title": title,
            "path": request.url.path,
            "navigation": NAVIGATION,
            "csrf": session.csrf if session else "",
            "labels": self.workspace.source.labels,
            "is_live": self.workspace.source.is_live,
            "mistakes": state.mistakes,
            "troubles": state.troubles,
            "has_snapshot": state.snapshot is not None,
            "closed": len(state.snapshot.closed) if state.snapshot else 0,
            "version": __version__,
        }
        return HTMLResponse(render(template, frame | values), status)

    def frameless(self, template: str, title: str, status: HTTPStatus, **values: Any) -> HTMLResponse:
        """A page that shows nothing of the objects, for browsers without a session too."""
        return HTMLResponse(render(template, {"title": title, **values}), status)

    def obstacle(self, request: Request, verb: Verb, namespace: str, name: str = "") -> str:
        """Why nobody, or this user, may change a policy now; empty: the user may. A new policy has no name yet."""
        if self.read_only:
            return READ_ONLY
        return self.out_of_date(request) or self.store.obstacle(verb, namespace, name)

    def out_of_date(self, request: Request) -> str:
        """Why nothing can be saved if the snapshot is not of the objects as they are now; empty if it is."""
        return _OUT_OF_DATE if self.state(request).mistakes else ""

    def refusal(self, _: Request, status: HTTPStatus, reason: str) -> HTMLResponse:
        """The page for a request that is refused."""
        return self.frameless("refusal.html.j2", status.phrase, status, reason=reason)

    def state(self, request: Request) -> WorkspaceState:
        """The state of the workspace, which is the same for the whole request."""
        if not hasattr(request.state, "workspace"):
            request.state.workspace = self.workspace.current()
        found: WorkspaceState = request.state.workspace
        return found


Page = Callable[[Site, Request, WorkspaceSnapshot], Response]
PostedPage = Callable[[Site, Request, WorkspaceSnapshot, Fields], Response]


def shown(site: Site, page: Page) -> Callable[[Request], Response]:
    """The endpoint of a page about the snapshot; without a snapshot the mistakes are the page.

    Starlette calls it in a thread, so a slow page does not hold up the others.
    """

    @wraps(page)
    def endpoint(request: Request) -> Response:
        snapshot = site.state(request).snapshot
        if snapshot is None:
            return site.page(request, "no_snapshot.html.j2", "Nothing to show", status=HTTPStatus.OK)
        return page(site, request, snapshot)

    return endpoint


def posted(site: Site, page: PostedPage) -> Callable[[Request], Any]:
    """The endpoint of a posted form; the guard has checked where it comes from, and whether it may write."""

    @wraps(page)
    async def endpoint(request: Request) -> Response:
        body = await request.body()
        answer = shown(site, lambda site, request, snapshot: page(site, request, snapshot, _fields_of(body)))
        return await run_in_threadpool(answer, request)

    return endpoint


def _fields_of(body: bytes) -> Fields:
    try:
        return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        reason = f"The form has more than {_MOST_FIELDS} fields; no NetworkPolicy of the console is so long."
        raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, reason) from None


def policy_of(request: Request, snapshot: WorkspaceSnapshot) -> NetworkPolicy:
    """The policy that the path names; raises HTTPException if there is none."""
    name = request.path_params["namespace"], request.path_params["name"]
    if name not in snapshot.policies:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"There is no NetworkPolicy {'/'.join(name)}.")
    return snapshot.policies[name]


def policy_url(policy: NetworkPolicy, line: int = 0) -> str:
    """The path of a policy's page; names of the API need no quoting."""
    return f"/policies/{policy.namespace}/{policy.name}" + (f"#L{line}" if line else "")


def with_query(request: Request, **changes: str) -> str:
    """The query of a request with some fields changed; an empty value removes a field."""
    fields = {**request.query_params, **changes}
    return "?" + urlencode({name: value for name, value in fields.items() if value})


def said(error: OvsnpError) -> list[str]:
    """The sentences of an error."""
    return str(error).splitlines()
