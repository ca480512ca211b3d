"""Time to commit flows over an open OpenFlow connection, compared with a process of ``ovs-ofctl bundle``."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from statistics import median

from bench.bridge import BRIDGE, NodeBridge, node_bridge
from bench.compiled import cluster_of, port_numbers, program_of
from bench.inputs import Inputs
from bench.process import processor_time
from bench.table import Cell, table
from ovsnp.flows.action import SetField
from ovsnp.flows.check import check_flow
from ovsnp.flows.flow import Flow
from ovsnp.flows.match import Match, exactly
from ovsnp.flows.modification import AddFlow, AddGroup, Modification
from ovsnp.gc_pause import gc_paused
from ovsnp.model.options import Carrier
from ovsnp.pipeline import fields as f
from ovsnp.pipeline import priorities as p
from ovsnp.pipeline import registers as r
from ovsnp.pipeline.carrier import option_map
from ovsnp.pipeline.ports import FIRST_OFFLINE_OFPORT
from ovsnp.render import modification_line
from ovsnp.switch.lock import exclusive
from ovsnp.switch.ofctl import bundle
from ovsnp.switch.openflow.commit import commit
from ovsnp.switch.openflow.connection import OpenFlow
from ovsnp.switch.openflow.tlv_table import add_options

HEAD = ("flows", "connection, ms", "processor", "ovs-ofctl bundle, ms", "processor")
COUNTS = (1, 10, 1_000, 50_000)
_FEW = 100
"""With at most so many flows, a round takes the median of ten commits."""

Way = Callable[[NodeBridge, Sequence[Modification]], tuple[float, float]]
"""Commits flows; returns wall-clock seconds, and seconds of processor time of all processes that take part."""


def measure(inputs: Inputs) -> Iterator[str]:
    """Medians over rounds, each of both ways in turn."""
    yield "## One bundle"
    yield (
        "From flows in memory to the confirmation of Open vSwitch: encoded and sent over a connection that is open, or"
        f" written as text for a process of `ovs-ofctl bundle`. The bridge is empty before. Processor:"
        f" the time of this process, ovs-ofctl and ovs-vswitchd. {inputs.runs} rounds; medians."
    )
    wanted = {f"{count:,} of a peer table": _peers(count) for count in COUNTS}
    for size in [size for size in inputs.sizes if size != "XL"]:
        cluster = cluster_of(inputs, size)
        program = program_of(cluster, port_numbers(cluster))
        flows = [*map(AddGroup, program.groups), *map(AddFlow, program.flows)]
        wanted[f"{len(flows):,}, the program of {size}"] = flows
    with node_bridge({"bench/pod": FIRST_OFFLINE_OFPORT}) as bridge:
        with OpenFlow(bridge.switch.location, BRIDGE) as connection:
            add_options(connection, option_map(Carrier()))
        yield table(HEAD, [_row(inputs, bridge, name, flows) for name, flows in wanted.items()])


def _row(inputs: Inputs, bridge: NodeBridge, name: str, flows: Sequence[Modification]) -> tuple[Cell, ...]:
    ways = (_by_connection, _by_process)
    rounds = [[number for way in ways for number in _taken(bridge, way, flows)] for _ in range(inputs.runs)]
    return name, *(median(each) * 1000 for each in zip(*rounds, strict=True))


@gc_paused()
def _taken(bridge: NodeBridge, way: Way, flows: Sequence[Modification]) -> tuple[float, float]:
    bridge.empty()
    repeats = 10 if len(flows) <= _FEW else 1
    walls, processors = zip(*(way(bridge, flows) for _ in range(repeats)), strict=True)
    return median(walls), sum(processors) / repeats


def _by_connection(bridge: NodeBridge, flows: Sequence[Modification]) -> tuple[float, float]:
    with OpenFlow(bridge.switch.location, BRIDGE) as connection:
        return _timed(bridge, lambda: commit(connection, flows))


def _by_process(bridge: NodeBridge, flows: Sequence[Modification]) -> tuple[float, float]:
    location = bridge.switch.location
    with exclusive(location, BRIDGE) as lock:
        return _timed(bridge, lambda: bundle(location, BRIDGE, [*map(modification_line, flows)], lock))


def _timed(bridge: NodeBridge, work: Callable[[], None]) -> tuple[float, float]:
    daemon = bridge.switch.daemons["ovs-vswitchd"].pid
    began, spent = time.perf_counter(), _spent(daemon)
    work()
    return time.perf_counter() - began, _spent(daemon) - spent


def _spent(daemon: int) -> float:
    return sum(os.times()[:4]) + processor_time(daemon)


def _peers(count: int) -> Sequence[Modification]:
    """Flows of a peer table, each with its own address and number."""
    matches = [Match("ip", (exactly(f.IPV4_DST, 0x0A000000 + number),)) for number in range(count)]
    flows = [
        Flow("EgressPeer", p.PEER + 32, match, (SetField(r.EGRESS_PEER, number),))
        for number, match in enumerate(matches, start=1)
    ]
    return [AddFlow(check_flow(flow)) for flow in flows]
