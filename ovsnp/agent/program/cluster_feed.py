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
        self._changes: dict[tuple[str, str, str], ObjectChange] = {}
        self.versions: dict[str, str] = {}
        self.troubles: dict[str, str] = {}
        self._refused: set[str] = set()

    @property
    def complete(self) -> bool:
        """True if every kind has been listed at least once."""
        return not self._missing

    @property
    def refusal(self) -> str | None:
        """The reasons if the API server refuses the first list of every kind that is not listed yet; else None.

        Only a person can help then. After the first lists there is no refusal, only trouble.
        """
        if not self._missing or self._missing - self._refused:
            return None
        return "\n".join(self.troubles[kind] for kind in sorted(self._missing))

    def take(self, event: WatchEvent) -> None:
        """Take one event."""
        match event:
            case ObjectChange():
                self._keep(event)
                self.versions[event.kind] = event.resource_version
            case KindListed():
                for change in event.changes:
                    self._keep(change)
                self._missing.discard(event.kind)
                self.versions[event.kind] = event.resource_version
            case WatchProgress():
                self.versions[event.kind] = event.resource_version
            case WatchTrouble():
                self.troubles[event.kind] = event.message
                (self._refused.add if event.refused else self._refused.discard)(event.kind)
            case WatchRestored():
                self.troubles.pop(event.kind, None)
                self._refused.discard(event.kind)

    def take_changes(self) -> list[ObjectChange]:
        """The last change of each object that has changed since the last call."""
        changes, self._changes = self._changes, {}
        return [*changes.values()]

    def _keep(self, change: ObjectChange) -> None:
        """Only the last change of an object counts: while one kind cannot be listed, the others go on changing."""
        self._changes[change.kind, change.namespace, change.name] = change
