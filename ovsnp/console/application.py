"""The pages of the console as one ASGI application."""

from collections.abc import Callable
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from ovsnp.console.editor import pages as editor
from ovsnp.console.editor.answers import answer as draft_answer
from ovsnp.console.editor.save import save
from ovsnp.console.pages import answers, live, matrix, policies
from ovsnp.console.pages.site import Site, posted, shown
from ovsnp.console.preparation import prepare_in_background
from ovsnp.console.security.guard import Guard
from ovsnp.console.security.listening import ListenAddress
from ovsnp.console.security.sessions import Sessions
from ovsnp.errors import OvsnpError
from ovsnp.render.program_text import TEMPLATES

SESSION_PATH = "/session"
"""The path at which the token becomes a session."""

_EDIT, _DRAFT = "/policies/edit", "/policies/draft"
_QUESTIONS = (_EDIT, _DRAFT)
"""The paths that take forms and write nothing."""

_STATIC = "/static/"
_FILES = ("console/console.css", "console/console.js", "console/editor.js", "matrix.css", "matrix.js")
_USED = (
    "The token is not that of the URL that the console has printed, or a browser has used it before; run ovsnp console"
    " again for a new one. If that browser was not yours, end the console at once (Ctrl-C)."
)
Endpoint = Callable[[Request], Response]


def application(site: Site, address: ListenAddress, sessions: Sessions) -> ASGIApp:
    """The application; every request passes the guard. The snapshots of the site are prepared in the background."""
    prepare_in_background(site.workspace)
    policy = "/policies/{namespace}/{name}"
    routes = [
        Route("/", lambda _: RedirectResponse("/policies")),
        Route(SESSION_PATH, _session(site, address, sessions)),
        Route("/policies", shown(site, policies.policies)),
        Route(_EDIT, shown(site, editor.edit), methods=["GET"]),
        Route(_EDIT, posted(site, editor.change), methods=["POST"]),
        Route("/policies/save", posted(site, save), methods=["POST"]),
        Route(_DRAFT, posted(site, draft_answer), methods=["POST"]),
        Route(policy, shown(site, policies.policy)),
        Route(f"{policy}/delete", shown(site, policies.ask_deletion), methods=["GET"]),
        Route(f"{policy}/delete", posted(site, policies.delete), methods=["POST"]),
        Route("/explain", shown(site, answers.explain)),
        Route("/matrix", shown(site, matrix.matrix)),
        Route("/pods", shown(site, answers.pods)),
        Route("/pods/{namespace}/{name}", shown(site, answers.pod)),
        Route("/live", shown(site, live.live)),
        Route("/live/lines", shown(site, live.live_lines)),
        Route("/input", _input(site)),
        *(Route(f"{_STATIC}{name.rpartition('/')[2]}", _file(name)) for name in _FILES),
    ]

    answers_of_errors = {
        HTTPException: _refuse_page(site),
        OvsnpError: _not_possible(site),
        RecursionError: _too_deep(site),
        Exception: _fail(site),
    }
    pages = Starlette(routes=routes, exception_handlers=answers_of_errors)
    return Guard(
        pages,
        address,
        sessions,
        site.refusal,
        open_paths=(_STATIC, SESSION_PATH),
        questions=_QUESTIONS,
        read_only=site.read_only,
    )


def _session(site: Site, address: ListenAddress, sessions: Sessions) -> Endpoint:
    """Exchange the token for a cookie.

    The page goes on to the console by itself: a redirect that begins at another site would not carry the cookie.
    """

    def endpoint(request: Request) -> Response:
        # HEAD is the method of programs that look where a link leads; they must not use up the token.
        session = sessions.exchange(request.query_params.get("token", "")) if request.method == "GET" else None
        if session is None:
            return site.refusal(request, HTTPStatus.FORBIDDEN, _USED)
        answer = site.frameless("session.html.j2", "The session begins", HTTPStatus.OK)
        secure = address.certificate is not None
        answer.set_cookie(address.cookie, session.cookie, httponly=True, samesite="strict", secure=secure)
        return answer

    return endpoint


def _input(site: Site) -> Endpoint:
    """What was read, and all mistakes and notes; there may be no snapshot."""

    def endpoint(request: Request) -> Response:
        snapshot = site.state(request).snapshot
        return site.page(
            request,
            "input.html.j2",
            "Input",
            notes=snapshot.notes if snapshot else (),
            not_understood=snapshot.not_understood if snapshot else (),
        )

    return endpoint


def _file(name: str) -> Endpoint:
    path = next(each / name for each in TEMPLATES if (each / name).exists())
    return lambda _: FileResponse(path)


def _refuse_page(site: Site) -> Callable[[Request, Exception], Response]:
    def answer(request: Request, error: Exception) -> Response:
        known = error if isinstance(error, HTTPException) else HTTPException(HTTPStatus.INTERNAL_SERVER_ERROR)
        return site.refusal(request, HTTPStatus(known.status_code), known.detail)

    return answer


def _not_possible(site: Site) -> Callable[[Request, Exception], Response]:
    """A file or an API server that cannot be read now."""
    return lambda request, error: site.refusal(request, HTTPStatus.CONFLICT, str(error))


def _too_deep(site: Site) -> Callable[[Request, Exception], Response]:
    reason = "The object has too many levels; a NetworkPolicy has about ten."
    return lambda request, _: site.refusal(request, HTTPStatus.BAD_REQUEST, reason)


def _fail(site: Site) -> Callable[[Request, Exception], Response]:
    """A mistake of the console itself."""

    def answer(request: Request, error: Exception) -> Response:
        reason = f"Internal error, please report it: {type(error).__name__}: {error}"
        return site.refusal(request, HTTPStatus.INTERNAL_SERVER_ERROR, reason)

    return answer
