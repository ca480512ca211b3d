"""Asks the agent of this node, over its control socket."""

import http.client
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import TypeVar

import msgspec

from ovsnp.errors import AgentError

DEFAULT_SOCKET = "/run/ovsnp/agent.sock"

_PATIENCE = 60.0

_Document = TypeVar("_Document")


def ask(path: Path, target: str, document: type[_Document]) -> _Document:
    """The answer of the agent to a request; raises AgentError."""
    with _answer(path, target) as answer:
        return _read(path, answer.read(), document)


def ask_lines(path: Path, target: str, line: Callable[[bytes], _Document]) -> Iterator[_Document]:
    """The lines of an answer as they come, each read by ``line``; raises AgentError."""
    with _answer(path, target) as answer:
        while text := answer.readline():
            if text.strip():
                yield line(text)


@contextmanager
def _answer(path: Path, target: str) -> Iterator[http.client.HTTPResponse]:
    connection = _SocketConnection(path)
    try:
        connection.request("GET", target, headers={"Connection": "close"})
        answer = connection.getresponse()
        if answer.status != HTTPStatus.OK:
            raise AgentError(_reason(answer.read()))
        yield answer
    except (OSError, http.client.HTTPException) as error:
        said = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise AgentError(
            f"no agent answers at {path}: {said}; start it (ovsnp agent), or name its control socket with --socket"
        ) from None
    finally:
        connection.close()


def _reason(body: bytes) -> str:
    """The sentence of a refusal."""
    try:
        return str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        return "the agent refused, and gave no reason"


def _read(path: Path, body: bytes, document: type[_Document]) -> _Document:
    try:
        return msgspec.json.decode(body, type=document)
    except msgspec.DecodeError as error:
        raise AgentError(
            f"the agent at {path} answers in a form that this version of ovsnp does not know: {error}"
        ) from None


class _SocketConnection(http.client.HTTPConnection):
    """A connection to a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_PATIENCE)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket instead of the host."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))
