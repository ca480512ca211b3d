"""The benchmarks' stand-in answers as the API server does: the same requests, and the same structure of the answers."""

import gzip
import json
import ssl
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import closing
from http.client import HTTPResponse
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import urlencode

import pytest

from bench.api_history import Change
from bench.api_server import ApiServer
from bench.layout import SIZES
from bench.served_objects import KINDS, POD, Kind, served_objects
from tests.cluster.control_plane import ControlPlane

STREAMED_LIST = {
    "watch": "true",
    "sendInitialEvents": "true",
    "resourceVersionMatch": "NotOlderThan",
    "allowWatchBookmarks": "true",
    "timeoutSeconds": "1",
}


class Server(NamedTuple):
    """A server to ask: its URL, what HTTPS needs, and the headers of a user."""

    url: str
    context: ssl.SSLContext | None
    headers: Mapping[str, str]

    def ask(self, path: str, query: Mapping[str, str], **headers: str) -> HTTPResponse:
        """The answer, which may be an error."""
        request = urllib.request.Request(f"{self.url}{path}?{urlencode(query)}", headers={**self.headers, **headers})
        handlers = [urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=self.context)]
        try:
            answer: HTTPResponse = urllib.request.build_opener(*handlers).open(request, timeout=60)
        except HTTPError as error:
            answer = error  # type: ignore[assignment]
        return answer

    def json(self, path: str, query: Mapping[str, str]) -> Any:
        """The parsed answer."""
        with self.ask(path, query) as answer:
            return json.load(answer)

    def frames(self, path: str, query: Mapping[str, str]) -> list[Any]:
        """The frames of a watch until it ends."""
        with self.ask(path, query) as answer:
            return [json.loads(line) for line in answer]


@pytest.fixture(scope="module")
def stand_in() -> Iterator[ApiServer]:
    with ApiServer(served_objects(SIZES["S"])) as server:
        yield server


@pytest.fixture
def both(control_plane: ControlPlane, stand_in: ApiServer) -> tuple[Server, Server]:
    """The API server and the stand-in, with the same objects."""
    for kind in KINDS:
        control_plane.create(stand_in.history.object(kind, key) for key in stand_in.history.keys(kind))
    context = ssl.create_default_context(cafile=control_plane.authority)
    real = Server(control_plane.url, context, {"Authorization": f"Bearer {control_plane.token}"})
    return real, Server(stand_in.url, None, {})
