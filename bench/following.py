"""The time in which an agent follows a cluster: from the arrival of an event until Open vSwitch has confirmed it."""

import tempfile
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median, quantiles

from bench.bridge import BRIDGE, node_bridge
from bench.compiled import cluster_of, port_numbers
from bench.followed import PATIENCE, Times, require, sampled, served
from bench.inputs import NODE, Inputs
from bench.layout import SIZES
from bench.served_objects import served_objects
from bench.table import Cell, table, verdict
from ovsnp.agent.agent import Agent
from ovsnp.kubernetes.configuration import find_api_server
from ovsnp.kubernetes.connection import ApiConnection
from ovsnp.model.options import Options

SAMPLES = 200
RATE = 20.0
"""The changes in a second that are timed one by one."""

FLOOD, FLOOD_RATE = 6_000, 100.0
"""A minute of changes."""

IDLE = 5.0

BARS = {
    "S": {"pod": (3, 15), "policy": (5, 20), "start": 2, "memory": 100, "idle": 1, "flood": 50},
    "L": {"pod": (4, 20), "policy": (8, 30), "start": 8, "memory": 250, "idle": 1, "flood": 100},
    "XL": {"pod": (5, 30), "policy": (10, 50), "start": 40, "memory": 1024, "idle": 2, "flood": 200},
}
"""Milliseconds (median, 99th percentile), seconds, MiB, percent of a processor, milliseconds."""


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
    times = Times()
    numbers = port_numbers(cluster_of(inputs, size))
    with (
        node_bridge(numbers) as bridge,
        tempfile.TemporaryDirectory() as directory,
        served(partial(served_objects, SIZES[size]), directory) as server,
    ):
        connection = ApiConnection(find_api_server(Path(directory) / "kubeconfig", None))
        agent = Agent(connection, bridge.switch.location, Options(BRIDGE, NODE), observer=times)
        thread = threading.Thread(target=agent.run)
        begun = time.monotonic()
        thread.start()
        try:
            require(times.started.wait(PATIENCE))
            start = time.monotonic() - begun
            found = {kind: sampled(server, times, kind, SAMPLES, RATE) for kind in ("pod", "policy")}
            flood = max(sampled(server, times, "flood", FLOOD, FLOOD_RATE))
            idle, memory = _idle(), _memory()
        finally:
            agent.stop()
            thread.join()
    rows: list[tuple[Cell, ...]] = []
    for kind, samples in found.items():
        values = median(samples), quantiles(samples, n=100)[98]
        for name, value, bar in zip(("median", "p99"), values, bars[kind], strict=True):
            rows.append((f"{kind} event, {name}, ms", value, f"{bar:g}", verdict(value, bar)))
    for name, value in (("start", start), ("memory", memory), ("idle", idle), ("flood", flood)):
        rows.append((_NAMES[name], value, f"{bars[name]:g}", verdict(value, bars[name])))
    return rows


_NAMES = {
    "start": "start to all flows in, lists included, s",
    "memory": "memory of the agent, MiB",
    "idle": "processor when nothing happens, %",
    "flood": "100 pod events a second: longest delay, ms",
}


def _idle() -> float:
    """The percentage of a processor that the agent takes while nothing changes."""
    begun, spent = time.monotonic(), time.process_time()
    time.sleep(IDLE)
    return (time.process_time() - spent) / (time.monotonic() - begun) * 100


def _memory() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / (1 << 20)
