"""The objects of the cluster that have come since the flows were last made, and how current the lists are."""

from collections.abc import Collection

from ovsnp.kubernetes.events import (
    KindListed,
    ObjectChange,
    WatchEvent,
    WatchProgress,
    WatchRestored,
    WatchTrouble,
)


class ClusterFeed:
    """Collects the events of the watches.

    ``versions`` has the resource version of each kind up to which the changes are known, ``troubles`` the kinds whose
    objects may be out of date, with the reason.
    """

    def __init__(self, kinds: Collection[str]) -> None:
        self._missing = set(kinds)
        self._changes: list[ObjectChange] = []
        self.versions: dict[str, str] = {}
        self.troubles: dict[str, str] = {}

    @property
    def complete(self) -> bool:
        """True if every kind has been listed at least once."""
        return not self._missing

    def take(self, event: WatchEvent) -> None:
        """Take one event."""
        match event:
            case ObjectChange():
                self._changes.append(event)
                self.versions[event.kind] = event.resource_version
            case KindListed():
                self._changes += event.changes
                self._missing.discard(event.kind)
                self.versions[event.kind] = event.resource_version
            case WatchProgress():
                self.versions[event.kind] = event.resource_version
            case WatchTrouble():
                self.troubles[event.kind] = event.message
            case WatchRestored():
                self.troubles.pop(event.kind, None)

    def take_changes(self) -> list[ObjectChange]:
        """The changes of objects since the last call, in order."""
        changes, self._changes = self._changes, []
        return changes
