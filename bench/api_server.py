"""A stand-in for the API server with a cluster of any size: list and watch of the kinds that ovsnp reads, over HTTP.

    with ApiServer(served_objects(SIZES["L"])) as server:
        kubeconfig = server.write_kubeconfig(directory)
        ...
        server.send(changes, rate=100)

It answers as kube-apiserver does (`tests/cluster/test_stand_in.py` compares the two), also to a streamed list, and
compresses where the client accepts it; it has no TLS and asks for no credentials. What is written to it is accepted and
forgotten. `requests` has everything that clients have asked for.
"""

import json
import sys
import threading
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path
from queue import Empty
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qsl, urlsplit

from bench.api_history import Change, ExpiredError, History, Watch, bookmark, frame
from bench.api_objects import Object
from bench.served_objects import KINDS, Kind, Objects, described_kinds
from ovsnp.kubernetes.resources import PODS

INITIAL_END = {"k8s.io/initial-events-end": "true"}
BATCH = 64
"""The objects that are written at once."""

COMPRESSED = 128 * 1024
"""The least size in bytes of a list that is compressed."""

BOOKMARK_PERIOD = 60.0
REASONS: Mapping[int, str] = {410: "Expired", 422: "Invalid", 500: "InternalError", 504: "Timeout"}
"""The reason of a status code where it is not the phrase of HTTP."""

TRUE = frozenset({"1", "true"})


class Request(NamedTuple):
    """A request of a client: when it came (`time.monotonic`), and what it asked for."""

    time: float
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


class ApiServer:
    """A server on a free port of the loopback interface, for the time of the context."""

    def __init__(self, objects: Mapping[Kind, Objects], *, bookmark_period: float = BOOKMARK_PERIOD) -> None:
        self.history = History(objects)
        self.requests: list[Request] = []
        self.bookmark_period = bookmark_period
        self._refusals: dict[str, list[tuple[int, str]]] = {}
        self._server = _Server(self)

    @property
    def url(self) -> str:
        """The URL of the server."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def write_kubeconfig(self, directory: Path) -> Path:
        """A kubeconfig for the server, in a new file of the directory."""
        path = directory / "kubeconfig"
        written = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "generated", "cluster": {"server": self.url}}],
            "users": [{"name": "anyone", "user": {}}],
            "contexts": [{"name": "generated", "context": {"cluster": "generated", "user": "anyone"}}],
            "current-context": "generated",
        }
        path.write_text(json.dumps(written), encoding="utf-8")
        return path

    def send(self, changes: Iterable[Change], rate: float) -> list[float]:
        """Make changes, ``rate`` in a second; returns the times (`time.monotonic`) at which they were made."""
        # Among 100,000 pods the first change takes seconds to find: meanwhile others would be due, and come at once.
        prepared = [*changes]
        start, made = time.monotonic(), []
        for number, change in enumerate(prepared):
            time.sleep(max(0.0, start + number / rate - time.monotonic()))
            made.append(time.monotonic())
            self.history.change(change)
        return made

    def refuse(self, kind: Kind, code: int, message: str, times: int = 1) -> None:
        """Answer the next requests for a kind with an error: 410, 429, 500 and so on."""
        self._refusals.setdefault(kind.path, []).extend([(code, message)] * times)

    def refusal(self, path: str) -> tuple[int, str] | None:
        """The error for the next request, if there is one."""
        waiting = self._refusals.get(path)
        return waiting.pop(0) if waiting else None

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, name="API server", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for each in KINDS:
            self.history.end(each)
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, owner: ApiServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.owner = owner

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print an error; a client that is gone is none."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is logged: `ApiServer.requests` has the requests."""

    def do_GET(self) -> None:
        """Answer a list, a watch, or a question about the server."""
        asked = self._take()
        kind = next((kind for kind in KINDS if kind.path == asked.path), None)
        if refusal := self.server.owner.refusal(asked.path):
            self._answer(*_status(*refusal))
        elif asked.path == "/version":
            self._answer(HTTPStatus.OK, {"major": "1", "minor": "37", "gitVersion": "v1.37.2"})
        elif asked.path == "/apis":
            self._answer(HTTPStatus.OK, described_kinds())
        elif kind is None:
            self._answer(*_status(HTTPStatus.NOT_FOUND, "the server could not find the requested resource"))
        elif (mistake := _mistake(asked.query)) is not None:
            self._answer(*mistake)
        elif asked.query.get("watch") in TRUE:
            self._watch(kind, asked.query)
        else:
            self._list(kind, asked.query)

    def do_POST(self) -> None:
        """Accept an object."""
        self._answer(HTTPStatus.CREATED, json.loads(self._take().body))

    def do_PUT(self) -> None:
        """Accept an object."""
        self._answer(HTTPStatus.OK, json.loads(self._take().body))

    def do_PATCH(self) -> None:
        """Accept a change of an object."""
        self.do_PUT()

    def _take(self) -> Request:
        """The request, which is noted."""
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        sent = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        request = Request(time.monotonic(), self.command, parts.path, query, dict(self.headers.items()), sent)
        self.server.owner.requests.append(request)
        return request

    def _answer(self, code: int, item: Object) -> None:
        text = json.dumps(item).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _list(self, kind: Kind, query: Mapping[str, str]) -> None:
        version, objects = self.server.owner.history.objects(kind)
        if int(query.get("resourceVersion") or 0) > version:
            self._answer(*_too_new(query["resourceVersion"], version))
            return
        compressed = self._accepts_gzip() and sum(map(len, objects)) > COMPRESSED
        self._begin(compressed=compressed)
        head = f'{{"kind":"{kind.name}List","apiVersion":"{kind.version}","metadata":{{"resourceVersion":"{version}"}},'
        parts = (b"," * (number > 0) + b",".join(batch) for number, batch in enumerate(_batches(objects)))
        self._write_all(_joined((head + '"items":[').encode(), parts, b"]}\n"), compressed=compressed)
        self._end()

    def _watch(self, kind: Kind, query: Mapping[str, str]) -> None:
        history, since = self.server.owner.history, int(query.get("resourceVersion") or 0)
        streamed = query.get("sendInitialEvents") == "true"
        compressed = streamed and self._accepts_gzip()
        watch = Watch(bookmarks=query.get("allowWatchBookmarks") in TRUE)
        self._begin(compressed=compressed)
        try:
            version, objects = history.watch(kind, watch, None if streamed or not since else since)
        except ExpiredError as error:
            self._end_with_error(*_status(HTTPStatus.GONE, str(error)), compressed=compressed)
            return
        try:
            if streamed and since > version:
                self._end_with_error(*_too_new(str(since), version), compressed=compressed)
                return
            frames = (b"".join(frame(kind, "ADDED", each) for each in batch) for batch in _batches(objects))
            ending = bookmark(kind, version, INITIAL_END) if streamed and watch.bookmarks else b""
            self._write_all(_joined(b"", frames, ending), compressed=compressed)
            self._follow(kind, watch, float(query.get("timeoutSeconds", "3600")), compressed=compressed)
        finally:
            history.unwatch(kind, watch)
        self._end()

    def _end_with_error(self, _: int, status: Object, *, compressed: bool) -> None:
        """End a watch with an ERROR event."""
        self._write_all([json.dumps({"type": "ERROR", "object": status}).encode() + b"\n"], compressed=compressed)
        self._end()

    def _follow(self, kind: Kind, watch: Watch, seconds: float, *, compressed: bool) -> None:
        """Write the changes until the watch ends or its time is up, and a bookmark after a time without changes."""
        owner, deadline = self.server.owner, time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            try:
                text = watch.frames.get(timeout=min(left, owner.bookmark_period))
            except Empty:
                text = (
                    bookmark(kind, owner.history.version) if watch.bookmarks and left > owner.bookmark_period else b""
                )
            if text is None:
                return
            # What is compressed at once is a stream of its own, as with the API server.
            self._write_all([text], compressed=compressed and text != b"")

    def _accepts_gzip(self) -> bool:
        return "gzip" in self.headers.get("Accept-Encoding", "")

    def _begin(self, *, compressed: bool) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        if compressed:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()

    def _write_all(self, parts: Iterable[bytes], *, compressed: bool) -> None:
        """Write parts of the body, compressed to one stream where the client asked for that."""
        for part in _gzipped(parts) if compressed else parts:
            if part:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))

    def _end(self) -> None:
        self.wfile.write(b"0\r\n\r\n")


def _mistake(query: Mapping[str, str]) -> tuple[int, Object] | None:
    """The answer to a query that this server, or every API server, refuses."""
    if "sendInitialEvents" in query and query.get("resourceVersionMatch") != "NotOlderThan":
        message = "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        cause = {"reason": "FieldValueForbidden", "message": message, "field": "resourceVersionMatch"}
        details = {"group": "meta.k8s.io", "kind": "ListOptions", "causes": [cause]}
        whole = f'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: {message}'
        return _status(HTTPStatus.UNPROCESSABLE_ENTITY, whole, details)
    if not query.get("resourceVersion", "").isdecimal() and query.get("resourceVersion"):
        return _status(HTTPStatus.BAD_REQUEST, "invalid resource version")
    if query.get("fieldSelector") == PODS.fields:  # no generated pod has ended
        query = {key: value for key, value in query.items() if key != "fieldSelector"}
    if unknown := query.keys() & {"fieldSelector", "labelSelector", "limit", "continue"}:
        return _status(HTTPStatus.BAD_REQUEST, f"the stand-in does not know {', '.join(sorted(unknown))}")
    return None


def _too_new(version: str, newest: int) -> tuple[int, Object]:
    """The answer to a question about a resource version that is not there yet; the API server waits for it first."""
    causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
    message = f"Timeout: Too large resource version: {version}, current: {newest}"
    return _status(HTTPStatus.GATEWAY_TIMEOUT, message, {"causes": causes, "retryAfterSeconds": 1})


def _status(code: int, message: str, details: Object | None = None) -> tuple[int, Object]:
    """The code of an error, and the object that says so."""
    status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message}
    status |= {"reason": REASONS.get(code, HTTPStatus(code).phrase.replace(" ", ""))}
    return code, status | ({"details": details} if details else {}) | {"code": int(code)}


def _batches(objects: list[bytes]) -> Iterator[list[bytes]]:
    remaining = iter(objects)
    while batch := list(islice(remaining, BATCH)):
        yield batch


def _joined(head: bytes, parts: Iterable[bytes], tail: bytes) -> Iterator[bytes]:
    yield head
    yield from parts
    yield tail


def _gzipped(parts: Iterable[bytes]) -> Iterator[bytes]:
    compressor = zlib.compressobj(level=1, wbits=31)
    for part in parts:
        yield compressor.compress(part)
    yield compressor.flush()
