"""The drop log of an agent: reads the reports of the bridge, counts equal drops, and keeps the last lines.

The reports come over a connection of their own, whose thread reads them: a reader that is slow delays no change of
flows.
"""

import logging
import queue
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from ovsnp.agent.attempt_pace import AttemptPace
from ovsnp.agent.traffic.drop_document import Drop, DropLine, DroppedTraffic, Unreported, moment
from ovsnp.agent.traffic.dropped_packets import DroppedPackets
from ovsnp.errors import SwitchError
from ovsnp.pipeline.drop_log import METER
from ovsnp.switch.location import Location
from ovsnp.switch.openflow.configuration import receive_packets
from ovsnp.switch.openflow.connection import OpenFlow
from ovsnp.switch.openflow.message import Message, MessageType
from ovsnp.switch.openflow.meter import meter_statistics
from ovsnp.switch.openflow.packet_in import decode_packet_in

log = logging.getLogger("ovsnp.drops")

_KEPT = 1000
_WAITING = 10_000
"""The lines that are kept, and the lines that wait for a slow follower."""

_WINDOW = 1.0
"""The seconds in which equal drops are one line."""

_LOGGED = 20
"""The lines that the log of the agent gets in a second."""


class DropLog:
    """The last lines, and the lines as they come; `lines` and `follow` may be called from any thread.

    ``connected`` is set while the bridge sends its reports here. ``lost`` gets the numbers of packets that were dropped
    without a report, in the thread of the drop log.
    """

    def __init__(
        self, location: Location, bridge: str, packets: DroppedPackets, lost: Callable[[int], None] = lambda _: None
    ) -> None:
        self._location, self._bridge, self._packets, self._lost = location, bridge, packets, lost
        self._lines: deque[DropLine] = deque(maxlen=_KEPT)
        self._followers: list[queue.Queue[DropLine]] = []
        self._lock = threading.Lock()
        self.connected = threading.Event()

    def lines(self) -> list[DropLine]:
        """The last thousand lines, the oldest first."""
        with self._lock:
            return list(self._lines)

    @contextmanager
    def follow(self) -> "Iterator[queue.Queue[DropLine]]":
        """A queue that gets every line that comes during the context; if it is full, new lines are left out."""
        follower: queue.Queue[DropLine] = queue.Queue(_WAITING)
        with self._lock:
            self._followers.append(follower)
        try:
            yield follower
        finally:
            with self._lock:
                self._followers.remove(follower)

    def start(self, stop: threading.Event) -> None:
        """Read the reports until ``stop``, in a thread; connects again after each error."""
        threading.Thread(target=self._run, args=(stop,), name="drop log", daemon=True).start()

    def write(self, lines: list[DropLine]) -> None:
        """Take lines that belong to one second."""
        with self._lock:
            self._lines.extend(lines)
            for follower in self._followers:
                with suppress(queue.Full):
                    for line in lines:
                        follower.put_nowait(line)
        for line in lines[:_LOGGED]:
            log.info("dropped: %s", line)
        if len(lines) > _LOGGED:
            log.info("dropped: %d more lines (ovsnp drops)", len(lines) - _LOGGED)

    def _run(self, stop: threading.Event) -> None:
        pace = AttemptPace()
        while not stop.is_set():
            try:
                self._read(stop)
            except SwitchError as error:
                self.connected.clear()
                log.debug("the connection for the drop log: %s", error)
                stop.wait(max(pace.next_attempt() - time.monotonic(), 0))

    def _read(self, stop: threading.Event) -> None:
        second, ended = _Second(self._packets), threading.Event()
        with OpenFlow(self._location, self._bridge, second.take, ended.set) as connection:
            reported = _Reported(connection)
            receive_packets(connection)
            self.connected.set()
            while not stop.is_set():
                if ended.wait(_WINDOW):
                    connection.tell()  # raises an error with the reason
                lines = second.drops()
                if missing := reported.missing(second.reports):
                    lines.append(Unreported(moment(time.time()), missing))
                    self._lost(missing)
                if lines:
                    self.write(lines)


class _Second:
    """The reports of one second; ``reports`` is the number of all reports of the connection.

    The thread of the connection takes them, so a report wakes one thread: on a busy machine every other thread of the
    agent waits longer for each thread that is awake.
    """

    def __init__(self, packets: DroppedPackets) -> None:
        self._packets = packets
        self._counts: Counter[DroppedTraffic] = Counter()
        self._first: dict[DroppedTraffic, float] = {}
        self._lock = threading.Lock()
        self.reports = 0

    def take(self, message: Message) -> None:
        """Take one message, of any type."""
        if message.type != MessageType.EXPERIMENTER:
            return
        traffic = self._packets.read(decode_packet_in(message))
        with self._lock:
            self.reports += 1
            if traffic:
                self._counts[traffic] += 1
                self._first.setdefault(traffic, time.time())

    def drops(self) -> list[DropLine]:
        """The drops of the second, in the order in which they came; begins a new second."""
        with self._lock:
            lines: list[DropLine] = [
                Drop(moment(first), traffic, self._counts[traffic]) for traffic, first in self._first.items()
            ]
            self._counts.clear()
            self._first.clear()
        return lines


class _Reported:
    """Compares the counters of the meter with the reports that came; behind the meter, reports may be lost, too."""

    def __init__(self, connection: OpenFlow) -> None:
        self._connection = connection
        self._reports = 0
        self._told = 0
        self._quiet = True
        self._start = self._statistics()

    def missing(self, reports: int) -> int:
        """The packets that were dropped without a report since the last call, if ``reports`` have come in all."""
        if reports == self._reports and self._quiet:
            return 0
        # Reports may be on their way. So only after a second without reports every packet that has none is missing.
        self._quiet = reports == self._reports
        self._reports = reports
        packets, dropped = self._statistics()
        without = packets - self._start[0] - reports if self._quiet else dropped - self._start[1]
        missing = max(without - self._told, 0)
        self._told += missing
        return missing

    def _statistics(self) -> tuple[int, int]:
        return meter_statistics(self._connection, METER)
