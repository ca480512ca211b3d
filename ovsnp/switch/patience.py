"""Limits the time to wait for an answer."""

import time

from ovs import poller


class Patience:
    """The seconds to wait for another process.

    The time that this process takes to read an answer does not count: on a slow machine it reads a schema for longer
    than a daemon may be silent.
    """

    def __init__(self, seconds: float) -> None:
        self._left = seconds

    @property
    def over(self) -> bool:
        """True if no time is left."""
        return self._left <= 0

    def block(self, waiting: poller.Poller) -> None:
        """Wait for an event of the poller, at most for the time that is left."""
        waiting.timer_wait(int(self._left * 1000) + 1)
        began = time.monotonic()
        waiting.block()
        self._left -= time.monotonic() - began
