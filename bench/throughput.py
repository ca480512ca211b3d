"""Throughput and connections per second between pods of the lab, as ratios to a learning switch in the same run."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import NamedTuple
from unittest import mock

from bench.inputs import Inputs
from bench.pod_network import FAR, NEAR, PORT, SERVER, SWITCHED, PodNetwork, pod_network
from bench.table import Cell, table
from ovsnp.errors import OvsnpError
from ovsnp.lab.datapath import DatapathType
from ovsnp.lab.journal import BASE_VARIABLE
from ovsnp.lab.runtime import NETNS, RUNTIMES

SECONDS = 1.0
CONNECTIONS, AT_ONCE = 2_000, 16
POD = "10.20.2.11", PORT
SERVICE = "10.96.0.11", 16379
"""The server's own address, and the Service of the lab with the server as its only endpoint."""

DATAPATHS = {DatapathType.NETDEV: "userspace datapath, one thread a node", DatapathType.SYSTEM: "kernel datapath"}

HEAD = (
    "way",
    "Gbit/s",
    "of NORMAL",
    "least",
    "most",
    "processor, s a Gbit",
    "connections/s",
    "of NORMAL",
    "least",
    "most",
    "processor, us a connection",
    "upcalls a connection",
)


class Way(NamedTuple):
    """A path from a client to the server: an address and port, through one of the networks."""

    name: str
    network: str
    client: str
    target: tuple[str, int]


class Measured(NamedTuple):
    """One round: bits and connections per second, processor seconds of both nodes for one, and upcalls for one."""

    bits: float
    bit_cost: float
    connections: float
    connection_cost: float
    upcalls: float


WAYS = {
    "one node": (
        Way("actions=NORMAL", "switch", NEAR, (SWITCHED[SERVER], PORT)),
        Way("pod to pod", "pods", NEAR, POD),
        Way("by Service", "services", NEAR, SERVICE),
    ),
    "two nodes, Geneve": (
        Way("actions=NORMAL", "switch", FAR, (SWITCHED[SERVER], PORT)),
        Way("pod to pod", "pods", FAR, POD),
        Way("by Service", "services", FAR, SERVICE),
        Way("by Service, --masquerade", "masquerade", FAR, SERVICE),
    ),
}
"""The paths that are compared with each other; ratios are relative to the first."""


def measure(inputs: Inputs) -> Iterator[str]:
    """All paths in turns, once in each round; a ratio is within one round, and the report has the median ratio."""
    yield "## Throughput between pods"
    try:
        RUNTIMES[NETNS].check_machine(inputs.datapath)
    except OvsnpError as error:
        yield f"Left out: {error}."
        return
    yield (
        f"The lab of two nodes with its first policy, {DATAPATHS[inputs.datapath]}; sender, receiver and both"
        f" nodes share this machine's processors. One TCP connection for {SECONDS:g} s with an MTU of 1,400; then"
        f" {CONNECTIONS:,} short ones, {AT_ONCE} at once, with a byte each way and reset after it."
        f" {inputs.runs} rounds of all ways in turns; medians, and the least and the most of the ratios. Processor"
        " time is that of both nodes' Open vSwitch."
    )
    with ExitStack() as stack:
        base = stack.enter_context(tempfile.TemporaryDirectory(prefix="ovsnp-bench-", dir="/tmp"))
        stack.enter_context(mock.patch.dict(os.environ, {BASE_VARIABLE: str(Path(base) / "labs")}))
        name = f"bench{os.getpid()}"
        networks = {
            "switch": stack.enter_context(pod_network(f"{name}-s", inputs.datapath, switch=True)),
            # Separate: a client that reaches a pod both ways from one port must wait for conntrack to forget the first.
            "pods": stack.enter_context(pod_network(f"{name}-p", inputs.datapath)),
            "services": stack.enter_context(pod_network(f"{name}-v", inputs.datapath)),
            "masquerade": stack.enter_context(pod_network(f"{name}-m", inputs.datapath, masquerade=True)),
        }
        for place, ways in WAYS.items():
            for way in ways:
                _measured(networks[way.network], way)
            rounds = [[_measured(networks[way.network], way) for way in ways] for _ in range(inputs.runs)]
            yield f"### On {place}"
            yield table(HEAD, [_row(way, number, rounds) for number, way in enumerate(ways)])


def _measured(network: PodNetwork, way: Way) -> Measured:
    busy = network.processor_time()
    bits = network.rate(way.client, "stream", *way.target, SECONDS)
    streamed = network.processor_time() - busy
    busy, upcalls = network.processor_time(), network.upcalls()
    connections = network.rate(way.client, "connect", *way.target, CONNECTIONS, AT_ONCE)
    connected = network.processor_time() - busy
    upcalls = network.upcalls() - upcalls
    return Measured(bits, streamed / (bits * SECONDS), connections, connected / CONNECTIONS, upcalls / CONNECTIONS)


def _row(way: Way, number: int, rounds: list[list[Measured]]) -> tuple[Cell, ...]:
    own = [each[number] for each in rounds]
    bits = [each[number].bits / each[0].bits for each in rounds]
    connections = [each[number].connections / each[0].connections for each in rounds]
    return (
        way.name,
        median(each.bits for each in own) / 1e9,
        *(median(bits), min(bits), max(bits)),
        median(each.bit_cost for each in own) * 1e9,
        round(median(each.connections for each in own)),
        *(median(connections), min(connections), max(connections)),
        round(median(each.connection_cost for each in own) * 1e6),
        median(each.upcalls for each in own),
    )
