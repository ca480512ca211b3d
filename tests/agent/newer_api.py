"""A proxy before a real API server, for an API server that is newer than ovsnp: a policy has a field that ovsnp lacks.

A real API server of today takes unknown fields away, so no test can store one there.
"""

import http.client
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ovsnp.kubernetes.resources import NETWORK_POLICIES
from tests.cluster.control_plane import ControlPlane
from tests.cluster.daemon import LOOPBACK

FORWARDED = ("Accept", "Content-Type", "Content-Length")


class NewerApi:
    """The proxy at ``url``, which asks as an administrator.

    Each policy whose name is in ``names`` has the field ``tier`` in its spec.
    """

    def __init__(self, control_plane: ControlPlane) -> None:
        self.names: set[str] = set()
        self._control_plane = control_plane
        self._server = ThreadingHTTPServer((LOOPBACK, 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://{LOOPBACK}:{self._server.server_port}"

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> http.client.HTTPResponse:
        """The answer of the API server behind."""
        context = ssl.create_default_context(cafile=self._control_plane.authority)
        connection = http.client.HTTPSConnection(LOOPBACK, self._control_plane.port, context=context)
        connection.request(method, path, body, {**headers, "Authorization": f"Bearer {self._control_plane.token}"})
        return connection.getresponse()

    def line(self, text: bytes) -> bytes:
        """A list, or an event of a watch, with the field."""
        found = json.loads(text)
        for policy in (found["object"],) if "object" in found else found.get("items", ()):
            self._add_to(policy)
        return json.dumps(found).encode() + b"\n"

    def _add_to(self, policy: dict[str, Any]) -> None:
        if policy["metadata"].get("name") in self.names:
            policy["spec"]["tier"] = "platform"


def _handler(proxy: NewerApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            # A client that has ended its watch.
            with suppress(ConnectionError):
                self._forward()

        def _forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name: self.headers[name] for name in FORWARDED if name in self.headers}
            with proxy.ask(self.command, self.path, body, headers) as answer:
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.headers["Content-Type"])
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                rewrite = proxy.line if self.path.startswith(NETWORK_POLICIES.path) else bytes
                for text in answer:
                    self._chunk(rewrite(text))
                self._chunk(b"")

        do_POST = do_PUT = do_PATCH = do_GET  # noqa: N815 -- the names that http.server looks for

        def _chunk(self, data: bytes) -> None:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
            self.wfile.flush()

        def log_message(self, *_: object) -> None:
            """Nothing is logged."""

    return Handler


@contextmanager
def newer_api(control_plane: ControlPlane) -> Iterator[NewerApi]:
    """The proxy, until the context ends."""
    proxy = NewerApi(control_plane)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.close()
