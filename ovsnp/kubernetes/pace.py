"""Time and chance, as a watch uses them: how long to wait after an error, and how long to let a request run."""

import random
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

FIRST_WAIT = 0.8
LONGEST_WAIT = 30.0
QUIET = 120.0
"""The seconds without an error after which the waits begin anew."""


def _wait(stop: threading.Event, seconds: float) -> None:
    stop.wait(seconds)


class WatchPace(NamedTuple):
    """The clock, the way to wait, and the random numbers of a watch.

    ``uniform`` returns a number between two. ``silence`` is the longest time, in seconds, without a byte while a list
    is streamed, ``spread`` the longest time by which the start of a watch is put off, so that the agents of a cluster
    do not all begin at once.
    """

    now: Callable[[], float] = time.monotonic
    wait: Callable[[threading.Event, float], None] = _wait
    uniform: Callable[[float, float], float] = random.uniform
    silence: float = 10.0
    spread: float = 0.2


class Backoff:
    """The waits after errors: each twice as long as the one before, and up to twice as long again by chance."""

    def __init__(self, pace: WatchPace) -> None:
        self._pace = pace
        self._next = FIRST_WAIT
        self._last = pace.now()

    def after(self, wanted: float | None = None) -> float:
        """The seconds to wait after an error; ``wanted`` is what the API server, or a proxy before it, asks for.

        A proxy may ask for an hour, although the API server is there much earlier: no wait is longer than a minute.
        """
        now = self._pace.now()
        if now - self._last > QUIET:
            self._next = FIRST_WAIT
        base, self._next = self._next, min(self._next * 2, LONGEST_WAIT)
        wait = max(self._pace.uniform(base, 2 * base), min(wanted or 0.0, 2 * LONGEST_WAIT))
        self._last = now + wait
        return wait
