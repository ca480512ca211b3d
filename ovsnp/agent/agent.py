"""The loop of an agent: events become one update of the program, and one transaction on the bridge."""

import logging
import queue
import threading
import time
from typing import Any, NamedTuple

from ovsnp.agent.backoff import Backoff
from ovsnp.agent.cluster_feed import ClusterFeed
from ovsnp.agent.kept_bridge import KeptBridge, bring
from ovsnp.agent.node_program import NodeProgram, ProgramChange
from ovsnp.errors import SwitchError, UsageError
from ovsnp.kubernetes.connection import ApiConnection
from ovsnp.kubernetes.events import WatchEvent
from ovsnp.kubernetes.following import follow
from ovsnp.kubernetes.resources import FOLLOWED
from ovsnp.model.options import Options
from ovsnp.switch.location import Location
from ovsnp.switch.watch_ports import Interfaces, InterfacesEvent, InterfacesUnknown, watch_interfaces

log = logging.getLogger("ovsnp.agent")


class ConnectionEnded(NamedTuple):
    """The OpenFlow connection with this number has ended."""

    number: int


class StopRequested(NamedTuple):
    """The agent shall end."""


Event = WatchEvent | InterfacesEvent | ConnectionEnded | StopRequested


class Agent:
    """Keeps the bridge of ``options.node`` as the cluster says.

    At start nothing is changed before every kind is listed. Without the API server the last state stays in force. After
    an error of Open vSwitch the agent reads the bridge again and sends the difference.
    """

    def __init__(self, connection: ApiConnection, location: Location, options: Options) -> None:
        self._connection, self._location, self._options = connection, location, options
        self._events: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._feed = ClusterFeed([resource.kind for resource in FOLLOWED])
        self._program = NodeProgram(options)
        self._interfaces: Interfaces | None = None
        self._bridge: KeptBridge | None = None
        self._connections = 0
        self._was_brought = False
        self._backoff = Backoff()
        self._next_attempt = 0.0

    def run(self) -> None:
        """Follow the cluster until `stop`; raises UsageError or SwitchError if the first attempt fails."""
        stop = threading.Event()
        follow(self._connection, self._events, stop)
        watch_interfaces(self._location, self._options.bridge, self._events.put, stop)
        try:
            while self._take_all(self._waiting_events()):
                self._realise()
        finally:
            stop.set()
            self._connection.close()
            self._drop_bridge()

    def stop(self) -> None:
        """End `run` soon; may be called from any thread or signal handler."""
        self._events.put(StopRequested())

    def _waiting_events(self) -> list[Event]:
        """Wait for an event, or until the next attempt to bring the bridge; returns all events that have come."""
        waiting = max(self._next_attempt - time.monotonic(), 0) if self._is_ready and not self._bridge else None
        events: list[Event] = []
        try:
            events.append(self._events.get(timeout=waiting))
            while True:
                events.append(self._events.get_nowait())
        except queue.Empty:
            return events

    def _take_all(self, events: list[Event]) -> bool:
        """Take events; returns False if the agent shall end."""
        return all(self._take(event) for event in events)

    def _take(self, event: Event) -> bool:
        match event:
            case StopRequested():
                return False
            case ConnectionEnded(number=number):
                if self._bridge and number == self._connections:
                    self._fail(SwitchError("the OpenFlow connection has ended"))
            case Interfaces():
                self._interfaces = event
            case InterfacesUnknown(message=message):
                self._tell(message)
            case _:
                self._feed.take(event)
        return True

    @property
    def _is_ready(self) -> bool:
        return self._feed.complete and self._interfaces is not None

    def _realise(self) -> None:
        """Make the program anew from what has come, and carry out the changes."""
        if not self._feed.complete or self._interfaces is None:
            return
        try:
            change = self._program.update(self._feed.take_changes(), self._interfaces.rows)
            if self._bridge:
                self._change(self._bridge, change)
            elif time.monotonic() >= self._next_attempt:
                self._bring()
        except (UsageError, SwitchError) as error:
            self._fail(error)

    def _change(self, bridge: KeptBridge, change: ProgramChange) -> None:
        if change.flows or change.turned or change.flows.frontends_before:
            bridge.change(change.flows, change.turned, self._program.holders, self._program.affinity)

    def _bring(self) -> None:
        self._connections += 1
        ended = ConnectionEnded(self._connections)
        self._bridge = bring(
            self._location,
            self._options,
            lambda database: self._program.for_interfaces([*database.interfaces(self._options.bridge)]),
            self._program.holders,
            lambda: self._events.put(ended),
        )
        self._was_brought = True

    def _fail(self, error: UsageError | SwitchError) -> None:
        """Give the bridge up until the next attempt; raises the error if no attempt has succeeded yet."""
        self._drop_bridge()
        if not self._was_brought:
            raise error
        self._tell(str(error))
        self._next_attempt = self._backoff.next_attempt()

    def _drop_bridge(self) -> None:
        if self._bridge:
            self._bridge.close()
        self._bridge = None

    def _tell(self, message: str) -> None:
        log.warning(message)
