"""The checks that every request passes before a page sees it, and the headers that every answer has.

No page can leave out a check: the guard stands around the whole application.
"""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request, cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ovsnp.console.security.listening import ListenAddress
from ovsnp.console.security.local_peer import is_of_another_user
from ovsnp.console.security.sessions import Session, Sessions, is_csrf_token

CSRF_FIELD = "csrf"
"""The field of a form with the secret of the session."""

CSRF_HEADER = "X-CSRF-Token"
"""The header with the secret of the session, for requests of scripts."""

LONGEST_BODY = 4 << 20
"""The bytes that a request may have; a NetworkPolicy of an API server has at most 1.5 MiB."""

_SAFE = ("GET", "HEAD")
_OTHER_PAGE = ("cross-site", "same-site")
"""Where a browser says that a request comes from (Fetch Metadata); another port of the host is the same site."""

_FORM = "application/x-www-form-urlencoded"

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: browsers then send the forms of a page with "Origin: null" (Fetch, 3.2).
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

Refuse = Callable[[Request, HTTPStatus, str], ASGIApp]
"""Makes the answer to a request that is refused, with the reason."""


class Guard:
    """Passes on the requests of the session, with ``scope["session"]``, and refuses all others.

    ``open_paths`` begin the paths that need no session. With ``read_only`` nothing is written: posted forms reach only
    ``questions``, the paths that answer and write nothing.
    """

    def __init__(
        self,
        inner: ASGIApp,
        address: ListenAddress,
        sessions: Sessions,
        refuse: Refuse,
        *,
        open_paths: tuple[str, ...],
        questions: tuple[str, ...],
        read_only: bool,
    ) -> None:
        self._inner, self._address, self._sessions, self._refuse = inner, address, sessions, refuse
        self._open_paths, self._questions, self._read_only = open_paths, questions, read_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":  # the start and the end of the server; there are no web sockets
            if scope["type"] == "lifespan":
                await self._inner(scope, receive, send)
            return
        session = self._session(scope)
        scope["session"] = session
        refused = self._obstacle(scope, session)
        if refused is None and scope["method"] not in _SAFE and session:
            body = await _whole_body(receive)
            refused = _forgery(scope, session, body)
            receive = _replaying(body or b"", receive)
        app = self._refuse(Request(scope), *refused) if refused else self._inner
        await app(scope, receive, _with_headers(send))

    def _session(self, scope: Scope) -> Session | None:
        cookies = cookie_parser(Headers(scope=scope).get("cookie", ""))
        return self._sessions.find(cookies.get(self._address.cookie, ""))

    def _obstacle(self, scope: Scope, session: Session | None) -> tuple[HTTPStatus, str] | None:
        """Why a request is refused before its body is read."""
        headers, method = Headers(scope=scope), scope["method"]
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) != 1 or hosts[0].lower() not in self._address.hosts:
            return HTTPStatus.MISDIRECTED_REQUEST, f"This console answers at {self._address.url} only."
        if self._address.is_loopback and (not scope["client"] or is_of_another_user(scope["client"], scope["server"])):
            return HTTPStatus.FORBIDDEN, "This console answers only the user who has started it; run your own."
        if any(origin not in self._address.origins for origin in origins):
            return HTTPStatus.FORBIDDEN, "The request comes from a page of another site."
        if method not in (*_SAFE, "POST"):
            return HTTPStatus.METHOD_NOT_ALLOWED, f"The console takes GET and POST, not {method}."
        if scope["path"].startswith(self._open_paths) and method in _SAFE:
            return None
        if headers.get("sec-fetch-site") in _OTHER_PAGE:
            return HTTPStatus.FORBIDDEN, "The request comes from a page of another site; type the URL instead."
        if session is None:
            return HTTPStatus.FORBIDDEN, "Open the URL that the console has printed: its token begins a session."
        if method in _SAFE:
            return None
        if not origins:
            return HTTPStatus.FORBIDDEN, "The request does not name the page that it comes from (Origin)."
        if self._read_only and scope["path"] not in self._questions:
            return HTTPStatus.FORBIDDEN, "This console was started with --read-only, so it writes nothing."
        return None


def _forgery(scope: Scope, session: Session, body: bytes | None) -> tuple[HTTPStatus, str] | None:
    """Why a request to write is refused."""
    if body is None:
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"A request has at most {LONGEST_BODY >> 20} MiB."
    if not is_csrf_token(session, _csrf_token(Headers(scope=scope), body)):
        return HTTPStatus.FORBIDDEN, "The form is not of this session; open its page again."
    return None


def _csrf_token(headers: Headers, body: bytes) -> str:
    if given := headers.get(CSRF_HEADER):
        return given
    if headers.get("content-type", "").partition(";")[0].strip() != _FORM:
        return ""
    # Not parse_qs: it takes a second for the longest body, and no other request has an answer meanwhile. Browsers send
    # the field as it stands, as the secret has only letters, digits, - and _.
    _, *values = (b"&" + body).split(b"&%s=" % CSRF_FIELD.encode(), 2)
    return values[0].partition(b"&")[0].decode("ascii", "replace") if len(values) == 1 else ""


async def _whole_body(receive: Receive) -> bytes | None:
    """The body of a request; None if it is too long, or if the client is gone."""
    parts: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return None
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > LONGEST_BODY:
            return None
        more = message.get("more_body", False)
    return b"".join(parts)


def _replaying(body: bytes, after: Receive) -> Receive:
    """Hand on a body that has been read, and then what comes after it: the client may go before it has an answer."""
    messages: list[dict[str, Any]] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return messages.pop() if messages else await after()

    return receive


def _with_headers(send: Send) -> Callable[[Message], Awaitable[None]]:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers[name] = value
        await send(message)

    return sending
