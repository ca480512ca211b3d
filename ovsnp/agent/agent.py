"""The loop of an agent: events become one update of the program, and one transaction on the bridge."""

import queue
import threading
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from msgspec import structs

from ovsnp import __version__
from ovsnp.agent.attempt_pace import AttemptPace
from ovsnp.agent.bridge.connection_cut import ConnectionCut
from ovsnp.agent.bridge.kept_bridge import KeptBridge, bring
from ovsnp.agent.observer import AgentObserver
from ovsnp.agent.program.cluster_feed import ClusterFeed
from ovsnp.agent.program.node_program import NodeProgram, ProgramChange
from ovsnp.agent.pulse import Pulse
from ovsnp.agent.report import AgentReport, OddPort, Unrealised
from ovsnp.agent.report_log import log_changes
from ovsnp.agent.traffic.drop_log import DropLog
from ovsnp.agent.traffic.dropped_packets import DroppedPackets
from ovsnp.agent.traffic.flow_counts import FlowCounts
from ovsnp.agent.traffic.live_connections import LiveConnections
from ovsnp.agent.traffic.policy_counts import PolicyCounts
from ovsnp.apply.judged_objects import JudgedObjects
from ovsnp.errors import ApiServerError, SwitchError, UsageError
from ovsnp.flows.program import Program
from ovsnp.gc_pause import exempt_from_gc
from ovsnp.kubernetes.connection import ApiConnection
from ovsnp.kubernetes.events import ObjectChange, WatchEvent
from ovsnp.kubernetes.following import follow
from ovsnp.kubernetes.resources import FOLLOWED
from ovsnp.manifests.objects import condensed
from ovsnp.model.bridge import Oddity
from ovsnp.model.options import Established, Options
from ovsnp.switch.location import Location
from ovsnp.switch.ovsdb import Database
from ovsnp.switch.watch_ports import (
    Interfaces,
    InterfacesEvent,
    InterfacesUnknown,
    read_interfaces,
    watch_interfaces,
)


class BridgeFailed(NamedTuple):
    """The bridge that was brought as the ``number``-th needs to be brought again."""

    number: int
    error: SwitchError


class StopRequested(NamedTuple):
    """The agent shall end."""


class PublishingTold(NamedTuple):
    """The trouble of the thread that tells the cluster about the agent; None: it works."""

    trouble: str | None


Event = WatchEvent | InterfacesEvent | BridgeFailed | StopRequested | PublishingTold


class Agent:
    """Keeps the bridge of ``options.node`` as the cluster says.

    At start nothing is changed before every kind is listed. Without the API server, or while no program can be made of
    the objects, the last state stays in force. After an error of Open vSwitch, and after another program has changed
    flows, the agent reads the bridge again and sends the difference. ``report`` is the state after the last event; it
    is replaced as a whole, so other threads may read it. They may ask for ``program.whole``, too. ``changed``
    is set when there may be another report, and ``pulse`` tells whether the loop goes on. ``observer`` counts the work.
    ``drops``, ``connections``, ``counts`` and ``policy_counts`` answer other threads. ``established`` says what happens
    to open connections that the policies forbid.
    """

    def __init__(
        self,
        connection: ApiConnection,
        location: Location,
        options: Options,
        established: Established = Established.KEEP,
        observer: AgentObserver | None = None,
    ) -> None:
        self.report = AgentReport(options.node or "", options.bridge, time.time(), __version__)
        self.changed = threading.Event()
        self.pulse = Pulse()
        self._connection, self._location, self._options = connection, location, options
        self._observer = observer or AgentObserver()
        self._events: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._feed = ClusterFeed([resource.kind for resource in FOLLOWED])
        self._judged = JudgedObjects() if established is Established.CUT else None
        self._cut: ConnectionCut | None = None
        self.program = NodeProgram(options, self._judged)
        objects, names, bridge = self.program.objects, self.program.names, options.bridge
        self.drops = DropLog(location, bridge, DroppedPackets(objects, names), self._observer.drops_lost)
        self.connections = LiveConnections(location, bridge, objects, names)
        self.counts = FlowCounts(location, bridge, names)
        self.policy_counts = PolicyCounts(self.counts, names, objects)
        self._interfaces: Interfaces | None = None
        self._bridge: KeptBridge | None = None
        self._brought = 0
        self._has_program = False
        self._pace = AttemptPace()
        self._next_attempt = 0.0

    @property
    def logs_drops(self) -> bool:
        """True if the bridge reports the packets that policies drop."""
        return self._options.log_drops

    def run(self) -> None:
        """Follow the cluster until `stop`.

        Raises ApiServerError if the API server refuses a list at start, UsageError or SwitchError if the first attempt
        fails. An API server that cannot be reached at start may come later, so this goes on trying. No other agent may
        run for this bridge (`ovsnp.switch.lock.sole_agent`).
        """
        stop = threading.Event()
        follow(self._connection, self._events, stop, condense=condensed)
        watch_interfaces(self._location, self._options.bridge, self._events.put, stop)
        if self._options.log_drops:
            self.drops.start(stop)
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

    def tell_publishing(self, trouble: str | None) -> None:
        """Have the report say what keeps the cluster from knowing it; for the thread that publishes it."""
        self._events.put(PublishingTold(trouble))

    def _waiting_events(self) -> list[Event]:
        """Wait for an event, or until the next attempt to bring the bridge; returns all events that have come."""
        attempts = self._has_program and not self._bridge
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
            case BridgeFailed(number=number, error=error):
                if self._bridge and number == self._brought:
                    self._fail(error)
            case Interfaces():
                self._interfaces = event
                self._next_attempt = 0.0  # a bridge that was gone may be there again
                self._say(database=None)
            case InterfacesUnknown(message=message):
                if self._interfaces is None:
                    raise SwitchError(message)
                self._say(database=message)
            case PublishingTold(trouble=trouble):
                self._say(publishing=trouble)
            case _:
                self._feed.take(event)
                self._observer.received(event)
        return True

    def _realise(self) -> None:
        """Make the program anew from the events that have come, and carry out the changes."""
        self._say(api_server=dict(self._feed.troubles))
        if refusal := self._feed.refusal:
            raise ApiServerError(refusal)
        if not self._feed.complete or self._interfaces is None:
            return
        versions, objects = dict(self._feed.versions), self._feed.take_changes()
        try:
            change = self._update(objects, self._interfaces)
            if self._bridge:
                self._bridge.require_ports(self._interfaces)
                self._change(self._bridge, change)
            elif time.monotonic() >= self._next_attempt:
                self._bring()
        except (UsageError, SwitchError) as error:
            self._fail(error)
        if self._bridge:
            self._tell_realised(versions, objects)

    def _update(self, objects: Sequence[ObjectChange], interfaces: Interfaces) -> ProgramChange:
        """Make the program anew. If that fails, only an event can help, and then the bridge is due at once."""
        had_program, self._has_program = self._has_program, False
        change = self.program.update(objects, interfaces.rows)
        self._has_program = True
        if not had_program:
            self._next_attempt = 0.0
        return change

    def _change(self, bridge: KeptBridge, change: ProgramChange) -> None:
        if change.flows or change.turned or change.flows.frontends_before:
            with self._observer.transaction(change.flows):
                bridge.change(change.flows, change.turned, self.program.affinity)
        if self._cut and change.forbids:
            self._cut.request()

    def _bring(self) -> None:
        number = self._brought + 1
        self._bridge = bring(
            self._location,
            self._options,
            self._program_for,
            self.program.holders,
            lambda error: self._events.put(BridgeFailed(number, error)),
        )
        if not self._brought:
            exempt_from_gc()
        self._brought = number
        self._observer.brought(self._bridge.brought.plan)
        if self._judged:
            self._cut = ConnectionCut(self._bridge.switch, self._judged, self._options)
            self._cut.request()

    def _program_for(self, database: Database) -> Program:
        """The program for the interfaces that the bridge has now; those of the last event may be older."""
        self._interfaces = read_interfaces(database, self._options.bridge)
        return self.program.for_interfaces(self._interfaces.rows)

    def _fail(self, error: UsageError | SwitchError) -> None:
        """Give the bridge up until the next attempt; raises the error if no attempt has succeeded yet."""
        if self._bridge and isinstance(error, UsageError):
            self._bridge.finish()  # the bridge works, and no address is closed in its last state
        self._drop_bridge()
        self._observer.failed()
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
        self._observer.confirmed()
        live, ports = self.program.live, self.program.ports
        self._say(
            observed=versions,
            switch=None,
            input=None,
            unrealised=tuple(sorted(Unrealised(*name, *structs.astuple(why)) for name, why in live.closed.items())),
            notes=tuple(f"{note.subject}: {note.path}: {note.message}" for note in live.notes),
            flows=self.program.tables.total(),
            tables=dict(self.program.tables),
            groups=self.program.groups,
            pods=tuple(sorted(self.program.pods)),
            without_port=tuple(sorted(self.program.pods.keys() - ports.pods.keys())) if ports else (),
            odd_ports=tuple(sorted(self._odd_port(each) for each in ports.odd)) if ports else (),
        )

    def _odd_port(self, oddity: Oddity) -> OddPort:
        pod = self.program.pods.get(oddity.pod)
        return OddPort(oddity.pod, (pod.uid if pod else None) or "", oddity.message)

    def _say(self, **state: Any) -> None:
        """Replace a part of the report, and log each trouble once."""
        before, self.report = self.report, structs.replace(self.report, **state)
        self.changed.set()
        self._observer.reported(self.report)
        log_changes(before, self.report)
