"""A small HTTP server, over a Unix socket or over TCP."""

import logging
import os
import socket
import socketserver
import stat
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from ovsnp import __version__
from ovsnp.document import document_text
from ovsnp.errors import UsageError

log = logging.getLogger("ovsnp.agent")

_PATIENCE = 30.0
"""The seconds that a client may take for its request, and for a part of the answer."""

_MOST_OF_ONE = 8
"""The open connections that an address may have over TCP: a pod that opens more keeps no probe of a kubelet out."""

_LONGEST_BODY = 1 << 20
_JSON = "application/json"
_JSON_LINES = "application/jsonl"
_TEXT = "text/plain; charset=utf-8"


class HttpAnswer(NamedTuple):
    """The answer to a request; the parts of a body that is no ``bytes`` are sent as they come."""

    status: HTTPStatus
    content_type: str
    body: bytes | Iterator[bytes]


class HttpError(msgspec.Struct, frozen=True):
    """The answer to a request that the agent does not carry out: the reason in a sentence."""

    error: str


Routes = Mapping[str, Mapping[str, Callable[[bytes], HttpAnswer]]]
"""For each path, for each method, the function that makes the answer from the body of the request."""


def json_answer(document: msgspec.Struct, status: HTTPStatus = HTTPStatus.OK) -> HttpAnswer:
    """A document as an answer."""
    return HttpAnswer(status, _JSON, document_text(document).encode())


def text_answer(text: str) -> HttpAnswer:
    """A text as an answer."""
    return HttpAnswer(HTTPStatus.OK, _TEXT, text.encode())


def lines_answer(lines: Iterator[bytes]) -> HttpAnswer:
    """JSON documents, one in a line, as they come."""
    return HttpAnswer(HTTPStatus.OK, _JSON_LINES, lines)


def refusal(status: HTTPStatus, reason: str) -> HttpAnswer:
    """The answer to a request that is not carried out."""
    return json_answer(HttpError(reason), status)


@contextmanager
def serving_socket(path: Path, routes: Routes) -> Iterator[None]:
    """Answer requests to a Unix socket, in threads of their own, for the time of the context.

    Only the owner may connect. The directory of the socket is made if it is missing, for the owner alone. Raises
    UsageError if the socket cannot be made, or if another process answers there.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _remove_left_over(path)
        server = _UnixServer(str(path), routes)
    except OSError as error:
        # A path that is too long for a socket comes without an errno.
        raise UsageError(f"--socket {path}: {error.strerror or error}; name another path") from None
    made = path.stat().st_ino
    try:
        with _running(server):
            yield
    finally:
        if path.exists() and path.stat().st_ino == made:
            path.unlink()


@contextmanager
def serving_address(address: str, routes: Routes) -> Iterator[None]:
    """Answer requests to ADDRESS:PORT, in threads of their own, for the time of the context; raises UsageError."""
    host, _, port = address.rpartition(":")
    try:
        family = socket.AF_INET6 if ip_address(host.strip("[]")).version == 6 else socket.AF_INET
        server = _tcp_server(family, (host.strip("[]"), int(port)), routes)
    except (ValueError, OverflowError):
        raise UsageError(f"{address!r} is no address with a port; write ADDRESS:PORT, such as 127.0.0.1:9464") from None
    except OSError as error:
        raise UsageError(f"the agent cannot listen at {address}: {error.strerror}; name another address") from None
    with _running(server):
        yield


class _Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    routes: Routes

    def handle_error(self, request: Any, client_address: Any) -> None:
        log.debug("a client ended its connection", exc_info=True)


class _UnixServer(_Server):
    address_family = socket.AF_UNIX

    def __init__(self, path: str, routes: Routes) -> None:
        self.routes = routes
        super().__init__(path, _Handler)  # type: ignore[arg-type]  # the address of a Unix socket is its path

    def server_bind(self) -> None:
        os.fchmod(self.socket.fileno(), stat.S_IRUSR | stat.S_IWUSR)  # before there is a file that others can open
        super().server_bind()


class _TcpServer(_Server):
    """Everybody who reaches the address may connect, and each connection takes a thread and a file of the agent."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._open: Counter[str] = Counter()
        self._lock = threading.Lock()
        super().__init__(address, _Handler, bind_and_activate=False)

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Whether a connection is answered."""
        with self._lock:
            answered = self._open[client_address[0]] < _MOST_OF_ONE
            self._open[client_address[0]] += answered
        return answered

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer the requests of a connection in a thread."""
        try:
            super().process_request(request, client_address)
        except BaseException:  # the machine has no thread left
            self._forget(client_address)
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer the requests of a connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._forget(client_address)

    def _forget(self, client_address: Any) -> None:
        with self._lock:
            self._open -= Counter([client_address[0]])  # leaves out an address that has none


def _tcp_server(family: socket.AddressFamily, address: tuple[str, int], routes: Routes) -> _Server:
    server = _TcpServer(address)
    server.socket.close()
    server.address_family, server.routes = family, routes
    server.socket = socket.socket(family, socket.SOCK_STREAM)
    try:
        server.server_bind()
        server.server_activate()
    except BaseException:
        server.server_close()
        raise
    return server


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _PATIENCE
    protocol_version = "HTTP/1.1"
    server_version = f"ovsnp/{__version__}"
    sys_version = ""

    def answer(self) -> None:
        """Answer one request."""
        methods = self.server.routes.get(urlsplit(self.path).path)
        if methods is None:
            there = ", ".join(sorted(self.server.routes))
            self._write(refusal(HTTPStatus.NOT_FOUND, f"there is no {self.path}; there are {there}"))
            return
        act = methods.get(self.command)
        if act is None:
            allowed = ", ".join(sorted(methods))
            reason = f"{self.path} takes {allowed}, not {self.command}"
            self._write(refusal(HTTPStatus.METHOD_NOT_ALLOWED, reason), {"Allow": allowed})
            return
        size = self.headers.get("Content-Length", "0")
        if not size.isdigit() or int(size) > _LONGEST_BODY:
            self._write(refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a body has at most {_LONGEST_BODY} bytes"))
            return
        self._write(self._carry_out(act, self.rfile.read(int(size))))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer  # noqa: N815

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer a request that is no HTTP."""
        status = HTTPStatus(code)
        self._write(refusal(status, message or status.phrase))

    def log_message(self, format: str, *arguments: Any) -> None:
        log.debug(format, *arguments)

    def _carry_out(self, act: Callable[[bytes], HttpAnswer], body: bytes) -> HttpAnswer:
        try:
            return act(body)
        except Exception as error:
            log.exception("%s %s", self.command, self.path)
            reason = f"internal error, please report it: {type(error).__name__}: {error}"
            return refusal(HTTPStatus.INTERNAL_SERVER_ERROR, reason)

    def _write(self, answer: HttpAnswer, headers: Mapping[str, str] = {}) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        if isinstance(answer.body, bytes):
            self.send_header("Content-Length", str(len(answer.body)))
        else:
            self.send_header("Transfer-Encoding", "chunked")
        for name, value in headers.items():
            self.send_header(name, value)
        if answer.status >= HTTPStatus.BAD_REQUEST:
            self.send_header("Connection", "close")  # the body of the request may not have been read
        self.end_headers()
        if self.command == "HEAD":
            return
        if isinstance(answer.body, bytes):
            self.wfile.write(answer.body)
        else:
            self._write_parts(answer.body)

    def _write_parts(self, parts: Iterator[bytes]) -> None:
        """Write the chunks of a body (RFC 9112, 7.1)."""
        for part in filter(None, parts):  # an empty chunk would be the last
            self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
        self.wfile.write(b"0\r\n\r\n")


@contextmanager
def _running(server: _Server) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, name="http server", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def _remove_left_over(path: Path) -> None:
    """Remove the socket of a process that was killed; raises UsageError if a process answers there."""
    if not path.is_socket():
        return  # any other file makes bind fail
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        try:
            client.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
        else:
            raise UsageError(f"--socket {path}: another process answers there; name another path for this agent")
