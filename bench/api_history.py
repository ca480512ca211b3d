"""The objects of a stand-in API server, their changes, and who watches them."""

import json
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from queue import SimpleQueue
from threading import Lock
from typing import Any, NamedTuple

from bench.api_objects import Object
from bench.served_objects import KINDS, Kind, Objects, body, key_of

FIRST_VERSION = 10_000_000
"""Above the resource versions of all generated objects."""

HISTORY = 10_000
"""The changes of a kind that a watch can ask for."""


class Change(NamedTuple):
    """ADDED, MODIFIED or DELETED, and the object; the object of DELETED is its last state."""

    type: str
    object: Object


class Watch:
    """A watch of a client; ``frames`` are what it has yet to send, and None is the end."""

    def __init__(self, *, bookmarks: bool) -> None:
        self.bookmarks = bookmarks
        self.frames: SimpleQueue[bytes | None] = SimpleQueue()


class ExpiredError(Exception):
    """The history does not reach back to a resource version."""


class History:
    """All objects by kind, with a resource version that grows with each change; for several threads."""

    def __init__(self, objects: Mapping[Kind, Objects]) -> None:
        self._objects = {kind: dict(objects.get(kind, {})) for kind in KINDS}
        self._kinds = {kind.name: kind for kind in KINDS}
        self._lock = Lock()
        self._version = FIRST_VERSION
        self._oldest = dict.fromkeys(KINDS, FIRST_VERSION)
        self._changes: dict[Kind, deque[tuple[int, bytes]]] = defaultdict(deque)
        self._watches: dict[Kind, list[Watch]] = defaultdict(list)

    @property
    def version(self) -> int:
        """The newest resource version."""
        return self._version

    def objects(self, kind: Kind) -> tuple[int, list[bytes]]:
        """The newest resource version, and the objects in the order of their keys."""
        with self._lock:
            return self._version, self._sorted(kind)

    def watch(self, kind: Kind, watch: Watch, since: int | None) -> tuple[int, list[bytes]]:
        """Begin a watch of the changes after a resource version; raises ExpiredError.

        Without one it begins now, and the objects of now are returned. Returns the newest resource version, too.
        """
        with self._lock:
            if since is not None and since < self._oldest[kind]:
                raise ExpiredError(f"too old resource version: {since} ({self._oldest[kind]})")
            for version, text in self._changes[kind]:
                if since is not None and version > since:
                    watch.frames.put(text)
            self._watches[kind].append(watch)
            return self._version, self._sorted(kind) if since is None else []

    def unwatch(self, kind: Kind, watch: Watch) -> None:
        """Forget a watch."""
        with self._lock:
            self._watches[kind].remove(watch)

    def change(self, change: Change) -> None:
        """Make a change, and hand it to all watches of the kind."""
        kind = self._kinds[change.object["kind"]]
        with self._lock:
            self._version += 1
            metadata = change.object["metadata"] | {"resourceVersion": str(self._version)}
            whole, key = body(change.object | {"metadata": metadata}), key_of(change.object)
            if change.type == "DELETED":
                del self._objects[kind][key]
            else:
                self._objects[kind][key] = whole
            text = frame(kind, change.type, whole)
            changes = self._changes[kind]
            changes.append((self._version, text))
            if len(changes) > HISTORY:
                self._oldest[kind], _ = changes.popleft()
            for watch in self._watches[kind]:
                watch.frames.put(text)

    def bookmark(self, kind: Kind) -> None:
        """Send a bookmark to all watches of a kind."""
        with self._lock:
            for watch in self._watches[kind]:
                if watch.bookmarks:
                    watch.frames.put(bookmark(kind, self._version))

    def end(self, kind: Kind) -> None:
        """End all watches of a kind, as a server that shuts down does."""
        with self._lock:
            for watch in self._watches[kind]:
                watch.frames.put(None)

    def expire(self, kind: Kind) -> None:
        """Forget all changes of a kind: a watch can begin only at the newest resource version; open watches end."""
        self.end(kind)
        with self._lock:
            self._version += 1
            self._oldest[kind] = self._version
            self._changes[kind].clear()

    def object(self, kind: Kind, key: str) -> Object:
        """The object with this key, with its kind."""
        with self._lock:
            found: dict[str, Any] = json.loads(self._objects[kind][key])
        return {"kind": kind.name, "apiVersion": kind.version} | found

    def keys(self, kind: Kind) -> Iterable[str]:
        """The keys of all objects of a kind."""
        with self._lock:
            return list(self._objects[kind])

    def _sorted(self, kind: Kind) -> list[bytes]:
        objects = self._objects[kind]
        return [objects[key] for key in sorted(objects)]


def frame(kind: Kind, change: str, whole: bytes) -> bytes:
    """An event of a watch, with its line's end."""
    return b'{"type":"%s","object":{"kind":"%s","apiVersion":"%s",%s}\n' % (
        change.encode(),
        kind.name.encode(),
        kind.version.encode(),
        whole[1:],
    )


def bookmark(kind: Kind, version: int, annotations: Mapping[str, str] | None = None) -> bytes:
    """A BOOKMARK: an empty object with a resource version."""
    metadata: Object = {"resourceVersion": str(version)}
    if annotations:
        metadata["annotations"] = dict(annotations)
    return frame(kind, "BOOKMARK", f'{{"metadata":{json.dumps(metadata)},{kind.empty}}}'.encode())
