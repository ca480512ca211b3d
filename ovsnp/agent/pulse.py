"""Whether the loop of an agent goes on."""

import threading
import time

_LONGEST = 300.0
"""The seconds that one turn of the loop may take. The longest turn is the first one: it compiles a large cluster, and
waits up to a minute for each lock. Who restarts an agent any sooner has it begin again from nothing."""


class Pulse:
    """The state of a loop in one thread, for other threads. A loop that waits for events is well however long."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._turn_began: float | None = None

    def waits(self) -> None:
        """The loop waits for events; called by its thread."""
        self._thread = threading.current_thread()
        self._turn_began = None

    def works(self) -> None:
        """A turn of the loop begins; called by its thread."""
        self._turn_began = time.monotonic()

    def fault(self) -> str | None:
        """What is wrong with the loop, in a sentence; None if it goes on."""
        if self._thread and not self._thread.is_alive():
            return "the loop of the agent has ended"
        began = self._turn_began
        if began is not None and (age := time.monotonic() - began) > _LONGEST:
            return f"the loop of the agent has been at one turn for {age:.0f} s; restart the agent"
        return None
