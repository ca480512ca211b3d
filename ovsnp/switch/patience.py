"""How long an answer is waited for."""

import time

from ovs import poller


class Patience:
    """Seconds of waiting for somebody else. What this process takes to read an answer is not counted: on a slow machine
    it reads a schema for longer than a daemon may be silent."""

    def __init__(self, seconds: float) -> None:
        self._left = seconds

    @property
    def over(self) -> bool:
        """Whether all of it was waited."""
        return self._left <= 0

    def block(self, waiting: poller.Poller) -> None:
        """Wait for what the poller is told of, at most for what is left."""
        waiting.timer_wait(int(self._left * 1000) + 1)
        began = time.monotonic()
        waiting.block()
        self._left -= time.monotonic() - began
