"""The time in which an agent follows a cluster: from the arrival of an event until Open vSwitch has confirmed it."""

import random
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median, quantiles

from bench.api_history import Change
from bench.api_server import ApiServer
from bench.bridge import BRIDGE, node_bridge
from bench.compiled import cluster_of, port_numbers
from bench.inputs import NODE, Inputs
from bench.layout import SIZES, Size, placed_pods
from bench.served_objects import NETWORK_POLICY, POD, served_objects
from bench.table import Cell, table, verdict
from ovsnp.agent.agent import Agent
from ovsnp.agent.observer import AgentObserver
from ovsnp.kubernetes.configuration import find_api_server
from ovsnp.kubernetes.connection import ApiConnection
from ovsnp.kubernetes.events import ObjectChange, WatchEvent
from ovsnp.model.options import Options

SAMPLES = 200
RATE = 20.0
"""The changes in a second that are timed one by one."""

FLOOD, FLOOD_RATE = 6_000, 100.0
"""A minute of changes."""

IDLE = 5.0
PATIENCE = 600.0

BARS = {
    "S": {"pod": (3, 15), "policy": (5, 20), "start": 2, "memory": 100, "idle": 1, "flood": 50},
    "L": {"pod": (4, 20), "policy": (8, 30), "start": 8, "memory": 250, "idle": 1, "flood": 100},
    "XL": {"pod": (5, 30), "policy": (10, 50), "start": 40, "memory": 1024, "idle": 2, "flood": 200},
}
"""Milliseconds (median, 99th percentile), seconds, MiB, percent of a processor, milliseconds."""


class _Times(AgentObserver):
    """The milliseconds from the arrival of each change until its flows are confirmed."""

    def __init__(self) -> None:
        self.milliseconds: list[float] = []
        self.started = threading.Event()
        self._waiting: list[float] = []

    def received(self, event: WatchEvent) -> None:
        if isinstance(event, ObjectChange):
            self._waiting.append(event.received)

    def confirmed(self) -> None:
        now = time.monotonic()
        self.milliseconds += [(now - received) * 1000 for received in self._waiting]
        self._waiting.clear()
        self.started.set()


def measure(inputs: Inputs) -> Iterator[str]:
    """One agent for each size; changes one by one, and then many in a second."""
    yield "## One agent that follows"
    yield (
        "From the arrival of an event until Open vSwitch has confirmed the flows, over HTTP from a stand-in for the API"
        f" server in another process; {SAMPLES} changes of each kind, {RATE:g} in a second, each undone by the next."
        f" Flood: {FLOOD:,} changes of pods, {FLOOD_RATE:g} in a second. The bridge is on the userspace datapath, with"
        " the ports of node-0. Memory is that of the process, which has this program too."
    )
    head = ("", "measured", "bar", "verdict")
    for size in [size for size in inputs.sizes if size in BARS]:
        yield f"### {size}"
        yield table(head, _rows(inputs, size))


def _rows(inputs: Inputs, size: str) -> list[tuple[Cell, ...]]:
    bars = BARS[size]
    times = _Times()
    numbers = port_numbers(cluster_of(inputs, size))
    with node_bridge(numbers) as bridge, tempfile.TemporaryDirectory() as directory, _served(size, directory) as server:
        connection = ApiConnection(find_api_server(Path(directory) / "kubeconfig", None))
        agent = Agent(connection, bridge.switch.location, Options(BRIDGE, NODE), observer=times)
        thread = threading.Thread(target=agent.run)
        begun = time.monotonic()
        thread.start()
        try:
            _require(times.started.wait(PATIENCE))
            start = time.monotonic() - begun
            found = {kind: _sampled(server, times, kind, SAMPLES, RATE) for kind in ("pod", "policy")}
            flood = max(_sampled(server, times, "flood", FLOOD, FLOOD_RATE))
            idle = _idle()
        finally:
            agent.stop()
            thread.join()
    rows: list[tuple[Cell, ...]] = []
    for kind, samples in found.items():
        values = median(samples), quantiles(samples, n=100)[98]
        for name, value, bar in zip(("median", "p99"), values, bars[kind], strict=True):
            rows.append((f"{kind} event, {name}, ms", value, f"{bar:g}", verdict(value, bar)))
    for name, value in (("start", start), ("memory", _memory()), ("idle", idle), ("flood", flood)):
        rows.append((_NAMES[name], value, f"{bars[name]:g}", verdict(value, bars[name])))
    return rows


_NAMES = {
    "start": "start to all flows in, lists included, s",
    "memory": "memory of the agent, MiB",
    "idle": "processor when nothing happens, %",
    "flood": "100 pod events a second: longest delay, ms",
}


def _sampled(server: Connection, times: _Times, kind: str, count: int, rate: float) -> Sequence[float]:
    """The milliseconds of each change."""
    times.milliseconds.clear()
    server.send((kind, count, rate))
    _require(server.poll(PATIENCE))
    server.recv()
    until = time.monotonic() + PATIENCE
    while len(times.milliseconds) < count and time.monotonic() < until:
        time.sleep(0.01)
    return [*times.milliseconds]


def _require(answered: bool) -> None:
    if not answered:
        raise TimeoutError(f"no answer within {PATIENCE:g} seconds")


def _idle() -> float:
    """The percentage of a processor that the agent takes while nothing changes."""
    begun, spent = time.monotonic(), time.process_time()
    time.sleep(IDLE)
    return (time.process_time() - spent) / (time.monotonic() - begun) * 100


def _memory() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / (1 << 20)


@contextmanager
def _served(size: str, directory: str) -> Iterator[Connection]:
    """A stand-in for the API server in another process, which makes the changes that it is sent."""
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(size, directory, there), daemon=True)
    process.start()
    try:
        _require(here.poll(PATIENCE))
        here.recv()
        yield here
    finally:
        process.kill()
        process.join()


def _serve(size: str, directory: str, commands: Connection) -> None:
    with ApiServer(served_objects(SIZES[size])) as server:
        server.write_kubeconfig(Path(directory))
        commands.send("ready")
        while True:
            kind, count, rate = commands.recv()
            server.send(_changes(server, SIZES[size], kind, count), rate)
            commands.send("done")


def _changes(server: ApiServer, size: Size, kind: str, count: int) -> Iterator[Change]:
    """Pods of other nodes, or policies of namespaces with pods of node-0, that go and come again."""
    history, placed = server.history, [*placed_pods(size)]
    if kind == "policy":
        here = {pod.namespace for pod in placed if not pod.node}
        of, keys = NETWORK_POLICY, [key for key in history.keys(NETWORK_POLICY) if key.partition("/")[0] in here]
    else:
        of, keys = POD, [pod.key for pod in placed if pod.node]
    # Only the chosen objects are parsed: a server that holds millions of dictionaries slows down what is measured.
    for item in [history.object(of, key) for key in random.Random(1).choices(keys, k=count // 2)]:
        yield Change("DELETED", item)
        yield Change("ADDED", item)
