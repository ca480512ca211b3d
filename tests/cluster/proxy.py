"""A proxy before an API server, which answers in its place, cuts connections, or lets them hang."""

import http.client
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.cluster.access import kubeconfig
from tests.cluster.control_plane import ControlPlane
from tests.cluster.daemon import LOOPBACK

_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}
_TOO_LONG = 600.0


class Proxy:
    """Passes requests on to ``control_plane`` for the time of the context; has the API server's certificate."""

    def __init__(self, control_plane: ControlPlane) -> None:
        self.control_plane = control_plane
        self.refusal: int | None = None
        self.flows = threading.Event()
        self.flows.set()
        self.clients: set[ssl.SSLSocket] = set()
        certificate = control_plane.certificates
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate / "apiserver.crt", certificate / "apiserver.key")
        self._server = _Server((LOOPBACK, 0), _handler(self))
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)

    def write_kubeconfig(self, path: Path) -> None:
        """A kubeconfig of the administrator that names the proxy."""
        url = f"https://{LOOPBACK}:{self._server.server_port}"
        path.write_text(kubeconfig(url, self.control_plane.authority, self.control_plane.token), encoding="utf-8")

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, name="proxy", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.flows.set()
        self.cut()
        self._server.shutdown()
        self._server.server_close()

    def cut(self) -> None:
        """End all connections now."""
        for client in [*self.clients]:
            with suppress(OSError):
                client.shutdown(2)

    @contextmanager
    def refusing(self, code: int) -> Iterator[None]:
        """Answer every request with this code, for the time of the context; the watches that run end."""
        self.refusal = code
        self.cut()
        yield
        self.refusal = None

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Pass nothing on, for the time of the context; the connections stay."""
        self.flows.clear()
        yield
        self.flows.set()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that was cut is no error."""


def _handler(proxy: Proxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        connection: ssl.SSLSocket

        def setup(self) -> None:
            super().setup()
            proxy.clients.add(self.connection)

        def finish(self) -> None:
            proxy.clients.discard(self.connection)
            with suppress(OSError):
                super().finish()

        def answer(self) -> None:
            """Pass the request on, or refuse it."""
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            proxy.flows.wait(_TOO_LONG)
            if proxy.refusal is not None:
                self._refuse(proxy.refusal)
                return
            try:
                with _upstream(proxy.control_plane) as upstream:
                    upstream.request(self.command, self.path, body or None, dict(self.headers.items()))
                    with upstream.getresponse() as response:
                        self._pass_on(response)
            except (OSError, http.client.HTTPException):
                self.close_connection = True

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 -- the names that http.server looks for

        def log_message(self, *_: object) -> None:
            """Nothing is logged."""

        def _refuse(self, code: int) -> None:
            status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": "refused"}
            text = json.dumps(status).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def _pass_on(self, response: http.client.HTTPResponse) -> None:
            self.send_response(response.status)
            for name, value in response.getheaders():
                if name.lower() not in _HOP_BY_HOP:
                    self.send_header(name, value)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            while data := response.read1(1 << 16):
                proxy.flows.wait(_TOO_LONG)
                self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.write(b"0\r\n\r\n")

    return Handler


@contextmanager
def _upstream(control_plane: ControlPlane) -> Iterator[http.client.HTTPSConnection]:
    context = ssl.create_default_context(cafile=control_plane.authority)
    connection = http.client.HTTPSConnection(LOOPBACK, control_plane.port, context=context)
    try:
        yield connection
    finally:
        connection.close()
