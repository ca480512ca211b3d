"""The versions of the objects of a kind that the events have had: a new list shows the deletions by them."""

from collections.abc import Callable, Iterable

import msgspec

from ovsnp.kubernetes.events import KindListed, ObjectChange, RelistReason
from ovsnp.kubernetes.watch_lines import identify

Key = tuple[str, str]
"""The namespace and the name of an object."""

Condense = Callable[[str, msgspec.Raw], msgspec.Raw]
"""Gives the JSON of an object of a kind without what nobody reads."""


def as_it_came(_kind: str, body: msgspec.Raw) -> msgspec.Raw:
    """The JSON of an object whose readers need more than a condensed one."""
    return body


class KnownVersions:
    """The versions of the objects of one kind that were handed out."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._versions: dict[Key, str] = {}

    def change(self, body: msgspec.Raw, received: float, *, gone: bool) -> tuple[str, ObjectChange | None]:
        """The version that a line of a watch stands for, and the event for it; no event if nothing is new about it."""
        meta = identify(body)
        key = meta.namespace, meta.name
        version = meta.resource_version
        if gone:
            known = self._versions.pop(key, None)
            return version, None if known is None else self._change(key, None, version, received)
        if self._versions.get(key) == version:
            return version, None
        self._versions[key] = version
        return version, self._change(key, body, version, received)

    def listed(self, listing: "Listing", resource_version: str, reason: RelistReason) -> KindListed:
        """The event for a whole list: what differs from the objects handed out before, deletions first."""
        before = self._versions
        gone = before.keys() - listing.objects.keys()
        changes = [self._change(key, None, resource_version, listing.received) for key in sorted(gone)]
        changes += [each for key, each in listing.objects.items() if before.get(key) != each.resource_version]
        self._versions = {key: each.resource_version for key, each in listing.objects.items()}
        return KindListed(self._kind, resource_version, changes, reason)

    def _change(self, key: Key, body: msgspec.Raw | None, version: str, received: float) -> ObjectChange:
        return ObjectChange(self._kind, *key, body, version, received)


class Listing:
    """The objects of a list that is being read, condensed: the lists of all kinds stay until the last one is there."""

    def __init__(self, kind: str, received: float, condense: Condense) -> None:
        self._kind, self._condense = kind, condense
        self.received = received
        self.objects: dict[Key, ObjectChange] = {}

    def put(self, body: msgspec.Raw, received: float) -> None:
        """Take an object."""
        meta = identify(body)
        key = meta.namespace, meta.name
        condensed = self._condense(self._kind, body)
        self.objects[key] = ObjectChange(self._kind, *key, condensed, meta.resource_version, received)
        self.received = received

    def drop(self, body: msgspec.Raw) -> None:
        """Take the deletion of an object, which may come while a list is streamed."""
        meta = identify(body)
        self.objects.pop((meta.namespace, meta.name), None)

    def put_all(self, bodies: Iterable[msgspec.Raw], received: float) -> None:
        """Take all objects of a list; each gets memory of its own, so that none keeps the whole list alive."""
        for body in bodies:
            self.put(body.copy(), received)
