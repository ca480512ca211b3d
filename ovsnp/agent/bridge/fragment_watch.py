"""Notices that another program has changed how the bridge handles fragments, in a thread beside the loop."""

import threading
from collections.abc import Callable

from ovsnp.errors import SwitchError
from ovsnp.switch.openflow.configuration import shows_fragments
from ovsnp.switch.openflow.connection import LostConnectionError, OpenFlow

_PERIOD = 2.0
"""The seconds between two looks. Open vSwitch tells nobody of a change, and a look is one short message."""

_CHANGED = "another program has changed the handling of fragments; ovsnp reads the bridge again"


class FragmentWatch:
    """Looks at a bridge from time to time; calls ``failed``, in its thread, when first fragments have no ports.

    The thread ends then, with `stop`, or with the connection.
    """

    def __init__(self, connection: OpenFlow, failed: Callable[[SwitchError], None]) -> None:
        self._connection, self._failed = connection, failed
        self._stopped = threading.Event()
        threading.Thread(target=self._run, name="fragment watch", daemon=True).start()

    def stop(self) -> None:
        """End the thread soon; returns at once."""
        self._stopped.set()

    def _run(self) -> None:
        try:
            while not self._stopped.wait(_PERIOD):
                if not shows_fragments(self._connection):
                    self._failed(SwitchError(_CHANGED))
                    return
        except LostConnectionError:
            return  # the connection itself tells that it has ended
        except SwitchError as error:
            self._failed(error)
