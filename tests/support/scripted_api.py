"""An API server of one process for the tests of the watch: it keeps objects, and fails as a test asks it to.

It answers lists, watches and streamed lists of any path as Kubernetes does. A test puts faults into `ScriptedApi.next`:
each is a function that answers one request in place of the server.
"""

import gzip
import json
import ssl
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from ovsnp.kubernetes.resources import FOLLOWED, NODE_POLICY_STATUSES, WORKLOADS

Object = dict[str, Any]
_TYPES = {
    each.path: (each.kind, f"{each.group}/{each.version}" if each.group else each.version)
    for each in (*FOLLOWED, *WORKLOADS, NODE_POLICY_STATUSES)
}
"""The kind and the apiVersion of the objects at each path."""
_CLUSTER_SCOPED = ("Namespace", "Node", "ServiceCIDR")
INITIAL_END = {"k8s.io/initial-events-end": "true"}


class Asked(NamedTuple):
    """One request that came."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]
    client: tuple[str, int]
    method: str
    body: bytes

    @property
    def is_watch(self) -> bool:
        return self.query.get("watch") == "true"

    @property
    def streams(self) -> bool:
        return self.query.get("sendInitialEvents") == "true"


class Change(NamedTuple):
    """One change of the objects, as the history of the server keeps it."""

    version: int
    path: str
    type: str
    object: Object


def status(code: int, reason: str = "", message: str = "") -> Object:
    """A Status object."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "code": code,
        "reason": reason,
        "message": message,
    }


class Answer:
    """The answer to one request: a test writes it piece by piece."""

    def __init__(self, handler: BaseHTTPRequestHandler, asked: Asked, server: "ScriptedApi") -> None:
        self._handler = handler
        self.asked = asked
        self.server = server

    def whole(self, code: int, body: object, **headers: str) -> None:
        """One JSON document."""
        data = json.dumps(body).encode()
        if code == 200 and "gzip" in self.asked.headers.get("accept-encoding", ""):
            data = gzip.compress(data)
            headers["Content-Encoding"] = "gzip"
        self._head(code, {"Content-Length": str(len(data)), **headers})
        self._handler.wfile.write(data)

    def start(self, **headers: str) -> None:
        """Begin an answer of lines."""
        self._head(200, {"Transfer-Encoding": "chunked", **headers})
        self._handler.wfile.flush()

    def line(self, type_: str, body: Object) -> None:
        """One line of a watch."""
        self.text(json.dumps({"type": type_, "object": body}).encode() + b"\n")

    def bookmark(self, version: int, annotations: dict[str, str] | None = None) -> None:
        metadata: Object = {"resourceVersion": str(version)}
        if annotations:
            metadata["annotations"] = annotations
        self.line("BOOKMARK", {"kind": "Pod", "apiVersion": "v1", "metadata": metadata})

    def text(self, data: bytes) -> None:
        """Any bytes, as one chunk."""
        self._handler.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self._handler.wfile.flush()

    def end(self) -> None:
        """End an answer of lines as a server does that has reached the time-out of the watch."""
        self._handler.wfile.write(b"0\r\n\r\n")
        self._handler.wfile.flush()

    def cut(self) -> None:
        """End the connection in the middle of the answer."""
        self._handler.close_connection = True

    def silence(self) -> None:
        """Say nothing more until the server ends."""
        self._handler.close_connection = True
        self.server.ended.wait()

    def _head(self, code: int, headers: dict[str, str]) -> None:
        self._handler.send_response(code)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self._handler.send_header(name, value)
        self._handler.end_headers()


Fault = Callable[[Answer], None]


class ScriptedApi:
    """The objects of an API server, by path, and the faults that are to come. `url` is where it listens."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[tuple[str, str], Object]] = defaultdict(dict)
        self.asked: list[Asked] = []
        self.next: dict[str, deque[Fault]] = defaultdict(deque)
        self.unknown: set[str] = set()
        self.streams_lists = True
        self.groups: Object = {"kind": "APIGroupDiscoveryList", "items": []}
        self.ended = threading.Event()
        self.changed = threading.Condition()
        self._version = 1000
        self._history: list[Change] = []
        self._compacted = 0
        self._epoch = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def use_tls(self, context: ssl.SSLContext) -> None:
        """Speak TLS with all clients that come."""
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.url = self.url.replace("http:", "https:")

    def close(self) -> None:
        self.ended.set()
        with self.changed:
            self.changed.notify_all()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def put(self, path: str, namespace: str, name: str, more: Object | None = None, **fields: object) -> Object:
        """Create or change an object; returns it as the server has it then. ``more`` is added to its metadata."""
        with self.changed:
            known = (namespace, name) in self.objects[path]
            self._version += 1
            metadata = {"name": name, "resourceVersion": str(self._version)}
            if namespace:
                metadata["namespace"] = namespace
            kind, api_version = _TYPES[path]
            made = {"kind": kind, "apiVersion": api_version, "metadata": {**metadata, **(more or {})}, **fields}
            self.objects[path][namespace, name] = made
            self._add(Change(self._version, path, "MODIFIED" if known else "ADDED", made))
        return made

    def put_all(self, documents: Iterable[Object]) -> None:
        """Create objects as manifests have them."""
        paths = {type_: path for path, type_ in _TYPES.items()}
        for each in documents:
            fields = {name: each[name] for name in each if name not in ("kind", "apiVersion", "metadata")}
            metadata = each["metadata"]
            path = paths[each["kind"], each["apiVersion"]]
            namespace = "" if each["kind"] in _CLUSTER_SCOPED else metadata.get("namespace", "default")
            self.put(path, namespace, metadata["name"], metadata, **fields)

    def delete(self, path: str, namespace: str, name: str) -> None:
        with self.changed:
            self._version += 1
            gone = self.objects[path].pop((namespace, name))
            last = {**gone, "metadata": {**gone["metadata"], "resourceVersion": str(self._version)}}
            self._add(Change(self._version, path, "DELETED", last))

    def compact(self) -> None:
        """Forget the history: whoever watches from an older version gets 410."""
        with self.changed:
            self._compacted = self._version

    def end_watches(self) -> None:
        """End all watches that run, as their time-out does."""
        with self.changed:
            self._epoch += 1
            self.changed.notify_all()

    def versions(self, path: str) -> dict[tuple[str, str], str]:
        """The version of each object."""
        with self.changed:
            return {key: each["metadata"]["resourceVersion"] for key, each in self.objects[path].items()}

    def _add(self, change: Change) -> None:
        self._history.append(change)
        self.changed.notify_all()

    def answer(self, answer: Answer) -> None:
        """Answer a request: by the fault that is next, or as an API server does."""
        asked = answer.asked
        with self.changed:
            self.asked.append(asked)
            fault = self.next[asked.path].popleft() if self.next[asked.path] else None
            self.changed.notify_all()
        if fault:
            fault(answer)
        elif asked.path in self.unknown:
            answer.whole(404, status(404, "NotFound", "the server could not find the requested resource"))
        elif asked.path == "/apis":
            answer.whole(200, self.groups)
        elif not asked.is_watch:
            with self.changed:
                version, items = self._version, [*self.objects[asked.path].values()]
            items = [{name: each[name] for name in each if name not in ("kind", "apiVersion")} for each in items]
            kind, api_version = _TYPES[asked.path]
            metadata = {"resourceVersion": str(version)}
            answer.whole(200, {"kind": f"{kind}List", "apiVersion": api_version, "metadata": metadata, "items": items})
        elif asked.streams and not self.streams_lists:
            answer.whole(422, status(422, "Invalid", "sendInitialEvents is forbidden for watch"))
        else:
            self._watch(answer)

    def _watch(self, answer: Answer) -> None:
        asked = answer.asked
        with self.changed:
            epoch, since, compacted = self._epoch, self._version, self._compacted
            listed = [*self.objects[asked.path].values()]
        if asked.streams:
            answer.start()
            for each in reversed(listed):
                answer.line("ADDED", each)
            answer.bookmark(since, INITIAL_END)
        else:
            since = int(asked.query["resourceVersion"])
            if since < compacted:
                answer.whole(410, status(410, "Expired", f"too old resource version: {since}"))
                return
            answer.start()
        for change in self._after(asked.path, since, epoch):
            answer.line(change.type, change.object)
        if self.ended.is_set():
            answer.cut()
        else:
            answer.end()

    def _after(self, path: str, version: int, epoch: int) -> Iterator[Change]:
        """The changes after a version, as they come, until the watches are ended."""
        told = 0
        while True:
            with self.changed:
                while len(self._history) == told and self._epoch == epoch and not self.ended.is_set():
                    self.changed.wait()
                new, told = self._history[told:], len(self._history)
                if self._epoch != epoch or self.ended.is_set():
                    return
            yield from (each for each in new if each.path == path and each.version > version)


def _handler(server: ScriptedApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", 0)))
            query = dict(parse_qsl(parts.query))
            asked = Asked(parts.path, query, headers, self.client_address, self.command, body)
            try:
                server.answer(Answer(self, asked, server))
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        do_POST = do_PUT = do_PATCH = do_GET  # noqa: N815 -- the names that http.server looks for

        def log_message(self, *_: object) -> None:
            """Requests are kept in `asked`."""

    return Handler


@contextmanager
def scripted_api() -> Iterator[ScriptedApi]:
    """A server that runs."""
    server = ScriptedApi()
    server.start()
    try:
        yield server
    finally:
        server.close()
