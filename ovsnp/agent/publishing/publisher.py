"""Tells the cluster about an agent: the object of the node, a condition of the Node, and Events.

All of it happens in a thread of its own: enforcement never waits for the API server.
"""

import random
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from ovsnp.agent.agent import Agent
from ovsnp.agent.publishing.node_events import NodeEvents
from ovsnp.agent.publishing.node_objects import NodeObjects
from ovsnp.agent.publishing.node_status import ended, node_status
from ovsnp.agent.publishing.write_pace import WritePace
from ovsnp.agent.report import AgentReport
from ovsnp.errors import ApiServerError, OvsnpError
from ovsnp.kubernetes.connection import ApiConnection
from ovsnp.kubernetes.node_policy_status import NodeStatus
from ovsnp.kubernetes.pace import Backoff, WatchPace
from ovsnp.switch.datapath import await_revalidators
from ovsnp.switch.location import Location

_GRACE = 10.0
"""The seconds that an agent has to read everything before it writes that it is not ready: a restart is no news."""

_GATHERED = 0.2
"""The seconds in which changes of the report become one: the nodes of a cluster do not write in the same moment."""


class Publisher:
    """Publishes the reports of an agent for the time of its context.

    ``connection`` is for this thread alone, ``location`` is that of the Open vSwitch which the agent changes.
    """

    def __init__(self, agent: Agent, connection: ApiConnection, location: Location) -> None:
        self._agent, self._connection, self._location = agent, connection, location
        self._objects = NodeObjects(connection, agent.report.node)
        self._events = NodeEvents(connection, agent.report.node)
        self._pace, self._backoff = WritePace(), Backoff(WatchPace())
        self._pace.hold(_GRACE)
        self._status: NodeStatus | None = None
        self._trouble: str | None = None
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end()
        self._connection.close()

    def announce_end(self) -> None:
        """Publish that the agent has ended, if the API server takes it now, and no more."""
        self._end()
        if self._status:
            with suppress(ApiServerError):  # readers find out when the agent writes no more
                self._objects.write(ended(self._status, datetime.now(UTC)))

    def _end(self) -> None:
        self._ends.set()
        self._agent.changed.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ends.is_set():
            self._agent.changed.wait(max(self._step() - time.monotonic(), 0))
            self._ends.wait(random.uniform(0, 2 * _GATHERED))
            self._agent.changed.clear()

    def _step(self) -> float:
        """Write what is due; returns the time of the next write."""
        report = self._agent.report
        if report.observed and self._pace.is_first and self._trouble is None:
            self._pace.hold(0)
        status = self._status_of(report)
        if time.monotonic() >= self._pace.due(status):
            self._write(report)
        return self._pace.due(status)

    def _status_of(self, report: AgentReport) -> NodeStatus:
        return node_status(report, self._status or self._objects.last, datetime.now(UTC))

    def _write(self, report: AgentReport) -> None:
        try:
            self._objects.find_or_create()
            if not report.switch:
                await_revalidators(self._location)  # until then, megaflows of earlier flows may still forward packets
            status = self._status_of(report)
            self._objects.write(status)
        except Exception as error:
            self._pace.hold(self._backoff.after())
            self._say(_sentence(error))
            return
        self._status = status
        self._pace.wrote(status)
        try:
            self._objects.write_condition(status)
            self._events.tell(report)
        except Exception as error:
            self._say(_sentence(error))
        else:
            self._say(None)

    def _say(self, trouble: str | None) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            self._agent.tell_publishing(trouble)


def _sentence(error: Exception) -> str:
    if isinstance(error, OvsnpError):
        return str(error)
    return f"internal error, please report it: {type(error).__name__}: {error}"
