"""A watch of an API server for tests: its events, and what they add up to."""

import threading
from collections.abc import Iterator, Mapping, Sequence
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


def hurried_pace(gate: threading.Event | None = None) -> WatchPace:
    """The clock of the machine, with waits that are short; a wait also lasts as long as ``gate`` is not set."""

    def wait(stop: threading.Event, seconds: float) -> None:
        stop.wait(min(seconds, 0.05))
        while gate and not (gate.wait(0.05) or stop.is_set()):
            pass

    return WatchPace(wait=wait, uniform=lambda low, high: low, spread=0.0)


class Watched:
    """The events of a watch, and what they add up to: the versions of the objects of each kind.

    Without a pace of its own, the watch runs on ``clock``, which moves only when the watch waits.
    """

    def __init__(self, server: ApiServer, resources: Sequence[Resource], pace: WatchPace | None = None) -> None:
        self.clock = Clock()
        self.silence = _PATIENCE
        self.read_timeout = _PATIENCE
        self.resources = resources
        self._server = server
        self._pace = pace
        self._versions: dict[str, dict[tuple[str, str], str]] = {each.kind: {} for each in resources}
        self._queue: SimpleQueue[WatchEvent] = SimpleQueue()
        self._stop = threading.Event()
        self._connection: ApiConnection | None = None
        self._threads: list[threading.Thread] = []

    def begin(self) -> Self:
        self._connection = ApiConnection(self._server, read_timeout=self.read_timeout)
        pace = self._pace or self.clock.pace(silence=self.silence)
        self._threads = follow(self._connection, self._queue, self._stop, resources=self.resources, pace=pace)
        return self

    def close(self) -> bool:
        """End the watch; True if its threads ended."""
        self._stop.set()
        if self._connection:
            self._connection.close()
        for thread in self._threads:
            thread.join(_PATIENCE)
        return not any(thread.is_alive() for thread in self._threads)

    def versions(self, kind: str = "Pod") -> dict[tuple[str, str], str]:
        """The version of each object, by namespace and name."""
        return self._versions[kind]

    def event(self) -> WatchEvent:
        """The next event; it is added to `versions`."""
        event = self._queue.get(timeout=_PATIENCE)
        changes = event.changes if isinstance(event, KindListed) else [event] if isinstance(event, ObjectChange) else []
        for each in changes:
            known = self._versions[each.kind]
            if each.body is None:
                del known[each.namespace, each.name]  # a deletion of what never came is an error
            else:
                assert known.get((each.namespace, each.name)) != each.resource_version
                known[each.namespace, each.name] = each.resource_version
        return event

    def words(self, count: int) -> list[str]:
        """The next events in words."""
        return [words(self.event()) for _ in range(count)]

    def until(self, kind: str, wanted: Mapping[tuple[str, str], str]) -> list[WatchEvent]:
        """The next events, up to the one with which the objects of a kind are these."""
        found: list[WatchEvent] = []
        while self._versions[kind] != wanted:
            found.append(self.event())
        return found


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
def watched(server: ApiServer, *resources: Resource, pace: WatchPace | None = None) -> Iterator[Watched]:
    """A watch that ends with the block; it begins with `Watched.begin`, so that a test may script faults before."""
    found = Watched(server, resources, pace)
    try:
        yield found
    finally:
        assert found.close()
