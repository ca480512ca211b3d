"""The session of the browser that has shown the token."""

import secrets
import threading
from hmac import compare_digest
from typing import NamedTuple

_BYTES = 32


class Session(NamedTuple):
    """The secret of the cookie, and the secret that every form carries against cross-site request forgery."""

    cookie: str
    csrf: str


class Sessions:
    """Exchanges one token for one session; may be called from any thread.

    ``token`` is the token of the URL that the console prints.
    """

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(_BYTES)
        self._lock = threading.Lock()
        self._session: Session | None = None

    def exchange(self, token: str) -> Session | None:
        """A session for the token; None if the token is wrong, or if it has been exchanged before."""
        with self._lock:
            if self._session is not None or not _equal(token, self.token):
                return None
            self._session = Session(secrets.token_urlsafe(_BYTES), secrets.token_urlsafe(_BYTES))
            return self._session

    def find(self, cookie: str) -> Session | None:
        """The session with this cookie."""
        session = self._session
        return session if session and _equal(cookie, session.cookie) else None


def is_csrf_token(session: Session, given: str) -> bool:
    """True if a form carries the secret of its session."""
    return _equal(given, session.csrf)


def _equal(one: str, other: str) -> bool:
    """Compare in a time that does not tell how much is equal."""
    return compare_digest(one.encode(), other.encode())
