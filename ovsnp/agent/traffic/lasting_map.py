"""A mapping that remembers its removed items for some time."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class LastingMap(Generic[_Key, _Value]):
    """Items by key; a removed or replaced item is still found for ``seconds``, if not ``most`` items went after it.

    ``clock`` gives the time in seconds.
    """

    def __init__(self, seconds: float, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._most, self._clock = seconds, most, clock
        self._now: dict[_Key, _Value] = {}
        self._last: dict[_Key, tuple[float, _Value]] = {}
        self._order: deque[tuple[float, _Key]] = deque()

    def put(self, key: _Key, value: _Value) -> None:
        """Set the item of a key."""
        if key in self._now and self._now[key] != value:
            self.remove(key)
        self._now[key] = value

    def remove(self, key: _Key) -> None:
        """Remove the item of a key, if there is one."""
        if key in self._now:
            gone = self._clock()
            self._last[key] = gone, self._now.pop(key)
            self._order.append((gone, key))
            self._forget(gone)

    def at(self, key: _Key) -> Iterator[_Value]:
        """The item that the key has, and then the item that it had before, as far as there are such."""
        if key in self._now:
            yield self._now[key]
        if key in self._last:
            gone, value = self._last[key]
            if self._clock() - gone <= self._seconds:
                yield value

    def values(self) -> Iterable[_Value]:
        """The items that are there now."""
        return self._now.values()

    def _forget(self, now: float) -> None:
        while self._order and (len(self._order) > self._most or now - self._order[0][0] > self._seconds):
            gone, key = self._order.popleft()
            if self._last.get(key, (None,))[0] == gone:
                del self._last[key]
