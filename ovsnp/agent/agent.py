"""The loop of an agent: events become one update of the program, and one transaction on the bridge."""

import logging
import queue
import threading
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from ovsnp import __version__
from ovsnp.agent.attempt_pace import AttemptPace
from ovsnp.agent.cluster_feed import ClusterFeed
from ovsnp.agent.drop_log import DropLog
from ovsnp.agent.dropped_packets import DroppedPackets
from ovsnp.agent.flow_counts import FlowCounts
from ovsnp.agent.kept_bridge import KeptBridge, bring
from ovsnp.agent.live_connections import LiveConnections
from ovsnp.agent.node_program import NodeProgram, ProgramChange
from ovsnp.agent.pulse import Pulse
from ovsnp.agent.report import AgentReport, Unrealised
from ovsnp.errors import SwitchError, UsageError
from ovsnp.flows.program import Program
from ovsnp.kubernetes.connection import ApiConnection
from ovsnp.kubernetes.events import ObjectChange, WatchEvent
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


class ProgramRequested(NamedTuple):
    """Another thread wants the program; None if there is none yet."""

    answer: "queue.SimpleQueue[Program | None]"


Event = WatchEvent | InterfacesEvent | ConnectionEnded | StopRequested | ProgramRequested

_PATIENCE = 60.0
"""The seconds that a thread waits for the loop."""


class Agent:
    """Keeps the bridge of ``options.node`` as the cluster says.

    At start nothing is changed before every kind is listed. Without the API server the last state stays in force. After
    an error of Open vSwitch the agent reads the bridge again and sends the difference. ``report`` is the state after
    the last event; it is replaced as a whole, so other threads may read it. ``pulse`` tells whether the loop goes on.
    ``drops``, ``connections`` and ``counts`` answer other threads, too.
    """

    def __init__(self, connection: ApiConnection, location: Location, options: Options) -> None:
        self.report = AgentReport(options.node or "", options.bridge, time.time(), __version__)
        self.pulse = Pulse()
        self._connection, self._location, self._options = connection, location, options
        self._events: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._feed = ClusterFeed([resource.kind for resource in FOLLOWED])
        self._program = NodeProgram(options)
        objects, names, bridge = self._program.objects, self._program.names, options.bridge
        self.drops = DropLog(location, bridge, DroppedPackets(objects, names))
        self.connections = LiveConnections(location, bridge, objects, names)
        self.counts = FlowCounts(location, bridge, names)
        self._interfaces: Interfaces | None = None
        self._bridge: KeptBridge | None = None
        self._connections = 0
        self._was_brought = False
        self._pace = AttemptPace()
        self._next_attempt = 0.0

    @property
    def logs_drops(self) -> bool:
        """True if the bridge reports the packets that policies drop."""
        return self._options.log_drops

    def run(self) -> None:
        """Follow the cluster until `stop`; raises UsageError or SwitchError if the first attempt fails."""
        stop = threading.Event()
        follow(self._connection, self._events, stop)
        watch_interfaces(self._location, self._options.bridge, self._events.put, stop)
        if self._options.log_drops:
            self.drops.start(stop)
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

    def program(self) -> Program | None:
        """The program as the loop has it; None if there is none yet, or if the loop takes long. For other threads."""
        answer: queue.SimpleQueue[Program | None] = queue.SimpleQueue()
        self._events.put(ProgramRequested(answer))
        try:
            return answer.get(timeout=_PATIENCE)
        except queue.Empty:
            return None

    def _waiting_events(self) -> list[Event]:
        """Wait for an event, or until the next attempt to bring the bridge; returns all events that have come."""
        attempts = self._feed.complete and self._interfaces and not self._bridge
        waiting = max(self._next_attempt - time.monotonic(), 0) if attempts else None
        events: list[Event] = []
        self.pulse.waits()
        try:
            events.append(self._events.get(timeout=waiting))
            while True:
                events.append(self._events.get_nowait())
        except queue.Empty:
            return events
        finally:
            self.pulse.works()

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
                self._say(database=None)
            case InterfacesUnknown(message=message):
                self._say(database=message)
            case ProgramRequested(answer=answer):
                answer.put(self._program.current() if self.report.observed else None)
            case _:
                self._feed.take(event)
        return True

    def _realise(self) -> None:
        """Make the program anew from the events that have come, and carry out the changes."""
        self._say(api_server=dict(self._feed.troubles))
        if not self._feed.complete or self._interfaces is None:
            return
        versions, objects = dict(self._feed.versions), self._feed.take_changes()
        try:
            change = self._program.update(objects, self._interfaces.rows)
            if self._bridge:
                self._change(self._bridge, change)
            elif time.monotonic() >= self._next_attempt:
                self._bring()
        except (UsageError, SwitchError) as error:
            self._fail(error)
        if self._bridge:
            self._tell_realised(versions, objects)

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
        self._say(**{"input" if isinstance(error, UsageError) else "switch": str(error)})
        self._next_attempt = self._pace.next_attempt()

    def _drop_bridge(self) -> None:
        if self._bridge:
            self._bridge.close()
        self._bridge = None

    def _tell_realised(self, versions: dict[str, str], objects: Sequence[ObjectChange]) -> None:
        """Report that Open vSwitch has confirmed the flows of all objects up to these versions."""
        live, ports = self._program.live, self._program.ports
        self._say(
            observed=versions,
            switch=None,
            input=None,
            unrealised=tuple(sorted(Unrealised(*name, reason) for name, reason in live.closed.items())),
            notes=tuple(f"{note.subject}: {note.path}: {note.message}" for note in live.notes),
            flows=self._program.flows,
            groups=self._program.groups,
            pods=tuple(sorted(self._program.pods)),
            without_port=tuple(sorted(self._program.pods.keys() - ports.pods.keys())) if ports else (),
        )

    def _say(self, **state: Any) -> None:
        """Replace a part of the report, and log each trouble once."""
        before, self.report = self.report, msgspec.structs.replace(self.report, **state)
        for field in ("switch", "database", "input"):
            last, now = getattr(before, field), getattr(self.report, field)
            if now != last:
                log.log(logging.WARNING if now else logging.INFO, "%s: %s", field, now or "works again")
        for kind in self.report.api_server.keys() | before.api_server.keys():
            last, now = before.api_server.get(kind), self.report.api_server.get(kind)
            if now != last:
                log.log(logging.WARNING if now else logging.INFO, "watch of %s: %s", kind, now or "works again")
