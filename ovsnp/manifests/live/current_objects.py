"""Objects of one kind by key, with the changes since they were last taken."""

from typing import Generic, TypeVar

_Key = TypeVar("_Key")
_Item = TypeVar("_Item")

Name = tuple[str, str]
"""The namespace (empty for kinds without one) and the name of an object."""


class CurrentObjects(Generic[_Key, _Item]):
    """The objects of one kind that count now."""

    def __init__(self) -> None:
        self.now: dict[_Key, _Item] = {}
        self._before: dict[_Key, _Item | None] = {}

    def put(self, key: _Key, item: _Item | None) -> bool:
        """Set the object with this key (None: there is none); returns True if it was another object before."""
        last = self.now.get(key)
        if last == item:
            return False
        self._before.setdefault(key, last)
        if item is None:
            del self.now[key]
        else:
            self.now[key] = item
        return True

    def take(self) -> tuple[tuple[_Item, ...], tuple[_Item, ...]]:
        """The objects that were added or changed since the last call, and the objects that were removed."""
        before, self._before = self._before, {}
        came = [self.now[key] for key, last in before.items() if key in self.now and self.now[key] != last]
        went = [last for key, last in before.items() if last is not None and key not in self.now]
        return tuple(came), tuple(went)
