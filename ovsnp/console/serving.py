"""Runs the console until it is interrupted."""

import os
import signal
import socket
import sys
import webbrowser
from collections.abc import Callable
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from ovsnp.console.application import SESSION_PATH, application
from ovsnp.console.pages.site import Site
from ovsnp.console.security.listening import ListenAddress
from ovsnp.console.security.sessions import Sessions
from ovsnp.errors import UsageError

_LAST_ANSWERS = 2
"""The seconds that running requests have once the console is to end."""


def serve(site: Site, address: ListenAddress, tell: Callable[[str], None]) -> None:
    """Answer requests until SIGINT or SIGTERM; ``tell`` gets the URL once browsers can connect.

    Raises UsageError if the console cannot listen there, or if the certificate cannot be used.
    """
    listening = listen(address)
    address = address.bound(*listening.getsockname()[:2])
    sessions = Sessions()
    server = _Server(configuration(application(site, address, sessions), address))
    url = f"{address.url}{SESSION_PATH}?token={sessions.token}"

    def started() -> None:
        tell(url)
        if _has_browser():
            webbrowser.open(url)

    server.started_once = started
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _pass)  # uvicorn ends at a signal, and then raises it again
    with listening:
        server.run(sockets=[listening])


class _Server(uvicorn.Server):
    """Says when it listens."""

    started_once: Callable[[], None]

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept connections."""
        await super().startup(sockets)
        if not self.should_exit:
            self.started_once()


def configuration(app: ASGIApp, address: ListenAddress) -> uvicorn.Config:
    """The settings of the server; raises UsageError if the certificate cannot be used."""
    pair = address.certificate
    configuration = uvicorn.Config(
        app,
        ssl_certfile=pair.certificate if pair else None,
        ssl_keyfile=pair.key if pair else None,
        log_level="error",  # a warning for each malformed request is for whoever sends it, and its text misleads
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        lifespan="off",
        timeout_graceful_shutdown=_LAST_ANSWERS,
    )
    try:
        configuration.load()
    except OSError as error:
        raise UsageError(
            f"--tls-cert and --tls-key cannot be used: {error.strerror or error}; name a certificate and its key in PEM"
        ) from None
    return configuration


def listen(address: ListenAddress) -> socket.socket:
    """A socket at the address, at which nobody can connect yet; raises UsageError."""
    try:
        family, *_, where = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, socket.SOCK_STREAM)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(where)
        except BaseException:
            listening.close()
            raise
    except OSError as error:
        reason = f"the console cannot listen at {address.host}:{address.port}: {error.strerror or error}"
        raise UsageError(f"{reason}; name another address with --listen") from None
    return listening


def _has_browser() -> bool:
    """True if a browser of this user can be expected to show a window."""
    if not sys.stderr.isatty() or os.environ.get("SSH_CONNECTION"):
        return False
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _pass(*_: Any) -> None:
    return None
