"""Requests over HTTP to a Unix socket."""

import http.client
import socket
from collections.abc import Mapping
from pathlib import Path


class SocketConnection(http.client.HTTPConnection):
    """A connection to a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=60)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket instead of the host."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def request(
    path: Path, target: str, method: str = "GET", body: bytes = b"", headers: Mapping[str, str] = {}
) -> http.client.HTTPResponse:
    """The answer to a request, with its body still to be read."""
    connection = SocketConnection(path)
    connection.request(method, target, body or None, {"Connection": "close", **headers})
    return connection.getresponse()
