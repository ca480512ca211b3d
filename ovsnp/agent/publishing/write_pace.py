"""When an agent writes the object of its node."""

import random
import time

from ovsnp.agent.publishing.node_status import is_urgent
from ovsnp.kubernetes.node_policy_status import RENEWAL, NodeStatus

_BETWEEN = 5.0
"""The least seconds between two writes."""


class WritePace:
    """Chooses the time of the next write. Times are those of `time.monotonic`."""

    def __init__(self) -> None:
        self._written: NodeStatus | None = None
        self._renewal = 0.0
        self._not_before = 0.0

    @property
    def is_first(self) -> bool:
        """True if no write has succeeded yet."""
        return self._written is None

    def wrote(self, status: NodeStatus) -> None:
        """A write has succeeded. The renewals of the nodes of a cluster spread over time by chance."""
        self._written = status
        self._renewal = time.monotonic() + RENEWAL * random.uniform(1.0, 1.25)
        self.hold(_BETWEEN)

    def hold(self, seconds: float) -> None:
        """Put the next write off."""
        self._not_before = time.monotonic() + seconds

    def due(self, status: NodeStatus) -> float:
        """The time at which this status is to be written."""
        if self._written is None or is_urgent(self._written, status):
            return self._not_before
        return max(self._renewal, self._not_before)
