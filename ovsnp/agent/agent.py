"""The loop of an agent: events become one update of the program, and one transaction on the bridge."""

import logging
import queue
import threading
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from ovsnp.agent.attempt_pace import AttemptPace
from ovsnp.agent.cluster_feed import ClusterFeed
from ovsnp.agent.connection_cut import ConnectionCut
from ovsnp.agent.kept_bridge import KeptBridge, bring
from ovsnp.agent.node_program import NodeProgram, ProgramChange
from ovsnp.agent.report import AgentReport, Unrealised
from ovsnp.apply.judged_objects import JudgedObjects
from ovsnp.errors import SwitchError, UsageError
from ovsnp.kubernetes.connection import ApiConnection
from ovsnp.kubernetes.events import ObjectChange, WatchEvent
from ovsnp.kubernetes.following import follow
from ovsnp.kubernetes.resources import FOLLOWED
from ovsnp.model.options import Established, Options
from ovsnp.switch.location import Location
from ovsnp.switch.watch_ports import Interfaces, InterfacesEvent, InterfacesUnknown, watch_interfaces

log = logging.getLogger("ovsnp.agent")


class BridgeFailed(NamedTuple):
    """The bridge that was brought as the ``number``-th needs to be brought again."""

    number: int
    error: SwitchError


class StopRequested(NamedTuple):
    """The agent shall end."""


Event = WatchEvent | InterfacesEvent | BridgeFailed | StopRequested


class Agent:
    """Keeps the bridge of ``options.node`` as the cluster says.

    At start nothing is changed before every kind is listed. Without the API server the last state stays in force. After
    an error of Open vSwitch the agent reads the bridge again and sends the difference. ``report`` is the state after
    the last event; it is replaced as a whole, so other threads may read it. They may ask for ``program.whole``, too.
    ``established`` says what happens to open connections that the policies forbid.
    """

    def __init__(
        self, connection: ApiConnection, location: Location, options: Options, established: Established
    ) -> None:
        self.report = AgentReport(options.node or "", options.bridge, time.time())
        self._connection, self._location, self._options = connection, location, options
        self._events: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._feed = ClusterFeed([resource.kind for resource in FOLLOWED])
        self._judged = JudgedObjects() if established is Established.CUT else None
        self._cut: ConnectionCut | None = None
        self.program = NodeProgram(options, self._judged)
        self._interfaces: Interfaces | None = None
        self._bridge: KeptBridge | None = None
        self._brought = 0
        self._pace = AttemptPace()
        self._next_attempt = 0.0

    def run(self) -> None:
        """Follow the cluster until `stop`; raises UsageError or SwitchError if the first attempt fails."""
        stop = threading.Event()
        follow(self._connection, self._events, stop)
        watch_interfaces(self._location, self._options.bridge, self._events.put, stop)
        try:
            while self._take_all(self._waiting_events()):
                self._realise()
            if self._bridge:
                self._bridge.finish()
        finally:
            stop.set()
            self._connection.close()
            self._drop_bridge()

    def stop(self) -> None:
        """End `run` soon; may be called from any thread or signal handler."""
        self._events.put(StopRequested())

    def _waiting_events(self) -> list[Event]:
        """Wait for an event, or until the next attempt to bring the bridge; returns all events that have come."""
        attempts = self._feed.complete and self._interfaces and not self._bridge
        waiting = max(self._next_attempt - time.monotonic(), 0) if attempts else None
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
            case BridgeFailed(number=number, error=error):
                if self._bridge and number == self._brought:
                    self._fail(error)
            case Interfaces():
                self._interfaces = event
                self._say(database=None)
            case InterfacesUnknown(message=message):
                self._say(database=message)
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
            change = self.program.update(objects, self._interfaces.rows)
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
            bridge.change(change.flows, change.turned, self.program.affinity)
        if self._cut and change.forbids:
            self._cut.request()

    def _bring(self) -> None:
        number = self._brought + 1
        self._bridge = bring(
            self._location,
            self._options,
            lambda database: self.program.for_interfaces([*database.interfaces(self._options.bridge)]),
            self.program.holders,
            lambda error: self._events.put(BridgeFailed(number, error)),
        )
        self._brought = number
        if self._judged:
            self._cut = ConnectionCut(self._bridge.switch, self._judged, self._options)
            self._cut.request()

    def _fail(self, error: UsageError | SwitchError) -> None:
        """Give the bridge up until the next attempt; raises the error if no attempt has succeeded yet."""
        self._drop_bridge()
        if not self._brought:
            raise error
        self._say(**{"input" if isinstance(error, UsageError) else "switch": str(error)})
        self._next_attempt = self._pace.next_attempt()

    def _drop_bridge(self) -> None:
        if self._bridge:
            self._bridge.close()
        if self._cut:
            self._cut.stop()
        self._bridge = self._cut = None

    def _tell_realised(self, versions: dict[str, str], objects: Sequence[ObjectChange]) -> None:
        """Report that Open vSwitch has confirmed the flows of all objects up to these versions."""
        live, ports = self.program.live, self.program.ports
        self._say(
            observed=versions,
            switch=None,
            input=None,
            unrealised=tuple(sorted(Unrealised(*name, reason) for name, reason in live.closed.items())),
            notes=tuple(f"{note.subject}: {note.path}: {note.message}" for note in live.notes),
            flows=self.program.flows,
            groups=self.program.groups,
            pods=tuple(sorted(self.program.pods)),
            without_port=tuple(sorted(self.program.pods.keys() - ports.pods.keys())) if ports else (),
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
