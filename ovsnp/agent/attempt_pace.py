"""The time until the next attempt after an error."""

import random
import time

_FIRST = 0.2
_LONGEST = 3.0
_CALM = 60.0
"""Seconds: the first wait, the longest wait, and the time without an error after which waits are short again."""


class AttemptPace:
    """Waits that double with each error, up to twice as long by chance, so that not all nodes try at once."""

    def __init__(self) -> None:
        self._wait = _FIRST
        self._last = float("-inf")

    def next_attempt(self) -> float:
        """The `time.monotonic` of the next attempt after an error now."""
        now = time.monotonic()
        self._wait = _FIRST if now - self._last > _CALM else min(2 * self._wait, _LONGEST)
        self._last = now
        return now + self._wait * random.uniform(1.0, 2.0)
