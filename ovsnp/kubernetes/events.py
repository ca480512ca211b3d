"""What a watch of a cluster hands on: changes of objects, whole lists, progress and trouble.

For each kind, the events in the queue add up to the objects of the API server: first one `KindListed`, then
`ObjectChange` and `WatchProgress`, and one more `KindListed` whenever the kind had to be listed again.
"""

from enum import StrEnum

import msgspec


class ObjectChange(msgspec.Struct, frozen=True, gc=False):
    """An object that came or is different, or is gone.

    ``body`` is the JSON of the object as the API server sent it, or condensed; None if the object is gone.
    ``namespace`` is empty for an object without namespace. ``received`` is the `time.monotonic` at which its bytes
    came.
    """

    kind: str
    namespace: str
    name: str
    body: msgspec.Raw | None
    resource_version: str
    received: float


class RelistReason(StrEnum):
    """Why a kind was listed."""

    START = "start"
    EXPIRED = "expired"
    FAILURES = "failures"
    ABSENT = "absent"


class KindListed(msgspec.Struct, frozen=True):
    """All objects of a kind are known, as of ``resource_version``.

    ``changes`` are the objects that differ from those of the earlier events, the deletions first. An object that was
    deleted and made again under its name since then is one change. The version is empty if the API server does not know
    the kind. ``reason`` is ABSENT if the API server did not know the kind when it was asked last.
    """

    kind: str
    resource_version: str
    changes: list[ObjectChange]
    reason: RelistReason


class WatchProgress(msgspec.Struct, frozen=True):
    """All changes of a kind up to ``resource_version`` are known (a bookmark)."""

    kind: str
    resource_version: str


class WatchTrouble(msgspec.Struct, frozen=True):
    """The objects of a kind may be out of date, and ``message`` says why; the watch goes on trying.

    ``refused``: the API server does not know or does not admit the user, or the credentials have a mistake; only a
    person can change that. ``code`` is the code of the answer, 0 without one.
    """

    kind: str
    message: str
    refused: bool = False
    code: int = 0


class WatchRestored(msgspec.Struct, frozen=True):
    """The watch of a kind works again."""

    kind: str


WatchEvent = ObjectChange | KindListed | WatchProgress | WatchTrouble | WatchRestored
