"""A watch of the pods of a scripted API server, on a clock that moves only when the watch waits."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Self

from ovsnp.kubernetes.configuration import ApiServer
from ovsnp.kubernetes.connection import ApiConnection
from ovsnp.kubernetes.credentials import Anonymous
from ovsnp.kubernetes.events import KindListed, ObjectChange, WatchEvent, WatchProgress, WatchRestored, WatchTrouble
from ovsnp.kubernetes.following import follow
from ovsnp.kubernetes.material import Trust
from ovsnp.kubernetes.pace import WatchPace
from ovsnp.kubernetes.resources import PODS as POD_RESOURCE
from ovsnp.kubernetes.resources import Resource
from tests.support.scripted_api import ScriptedApi

PODS = POD_RESOURCE.path
_PATIENCE = 30.0
"""The seconds after which a test gives up: no test waits for them unless it fails."""


def api_server(url: str) -> ApiServer:
    """An API server without TLS and without credentials."""
    return ApiServer("cluster test", url, Trust(), Anonymous())


class Clock:
    """A clock that a watch moves by waiting, and a test by hand; random numbers are the lower bound."""

    def __init__(self) -> None:
        self.time = 0.0
        self.waits: list[float] = []

    def pace(self, *, silence: float = _PATIENCE) -> WatchPace:
        return WatchPace(lambda: self.time, self._wait, lambda low, high: low, silence, 0.0)

    def _wait(self, stop: threading.Event, seconds: float) -> None:
        self.waits.append(seconds)
        self.time += seconds


class Watched:
    """The events of a watch, and what they add up to."""

    def __init__(self, api: ScriptedApi, resource: Resource = POD_RESOURCE) -> None:
        self.api = api
        self.clock = Clock()
        self.silence = _PATIENCE
        self.read_timeout = _PATIENCE
        self.versions: dict[tuple[str, str], str] = {}
        self._resource = resource
        self._queue: SimpleQueue[WatchEvent] = SimpleQueue()
        self._stop = threading.Event()
        self._connection: ApiConnection | None = None
        self._threads: list[threading.Thread] = []

    def begin(self) -> Self:
        self._connection = ApiConnection(api_server(self.api.url), read_timeout=self.read_timeout)
        pace = self.clock.pace(silence=self.silence)
        self._threads = follow(self._connection, self._queue, self._stop, resources=[self._resource], pace=pace)
        return self

    def close(self) -> bool:
        """End the watch; True if its threads ended."""
        self._stop.set()
        if self._connection:
            self._connection.close()
        for thread in self._threads:
            thread.join(_PATIENCE)
        return not any(thread.is_alive() for thread in self._threads)

    def event(self) -> WatchEvent:
        """The next event; it is added to `versions`."""
        event = self._queue.get(timeout=_PATIENCE)
        changes = event.changes if isinstance(event, KindListed) else [event] if isinstance(event, ObjectChange) else []
        for each in changes:
            if each.body is None:
                del self.versions[each.namespace, each.name]  # a deletion of what never came is an error
            else:
                self.versions[each.namespace, each.name] = each.resource_version
        return event

    def words(self, count: int) -> list[str]:
        """The next events in words."""
        return [words(self.event()) for _ in range(count)]


def words(event: WatchEvent) -> str:
    """An event as a short text."""
    match event:
        case KindListed(changes=changes):
            return f"listed {' '.join(words(each) for each in changes)}".rstrip()
        case ObjectChange(name=name, body=None):
            return f"-{name}"
        case ObjectChange(name=name):
            return f"+{name}"
        case WatchProgress():
            return "progress"
        case WatchRestored():
            return "restored"
        case WatchTrouble(message=message):
            return f"trouble: {message}"


@contextmanager
def watched(api: ScriptedApi, resource: Resource = POD_RESOURCE) -> Iterator[Watched]:
    """A watch that ends with the block."""
    found = Watched(api, resource)
    try:
        yield found
    finally:
        assert found.close()
