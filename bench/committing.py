"""Time to commit flows over an open OpenFlow connection, compared with a process of ``ovs-ofctl bundle``."""

import time
from collections.abc import Callable, Iterator, Sequence
from statistics import median

from bench.bridge import BRIDGE, NodeBridge, node_bridge
from bench.compiled import cluster_of, port_numbers, program_of
from bench.inputs import Inputs
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

HEAD = ("flows", "connection, ms", "ovs-ofctl bundle, ms", "ratio")
COUNTS = (1, 10, 1_000, 50_000)
_FEW = 100
"""With at most so many flows, a round takes the median of ten commits."""

Way = Callable[[NodeBridge, Sequence[Modification]], float]


def measure(inputs: Inputs) -> Iterator[str]:
    """Medians over rounds, each of both ways in turn."""
    yield "## One bundle"
    yield (
        "From flows in memory to the confirmation of Open vSwitch: encoded and sent over a connection that is open, or"
        f" written as text for a process of `ovs-ofctl bundle`. The bridge is empty before; {inputs.runs} rounds;"
        " medians."
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
    times = [[_taken(bridge, way, flows) for way in ways] for _ in range(inputs.runs)]
    connection, process = (median(each) * 1000 for each in zip(*times, strict=True))
    return name, connection, process, process / connection


@gc_paused()
def _taken(bridge: NodeBridge, way: Way, flows: Sequence[Modification]) -> float:
    bridge.empty()
    return median(way(bridge, flows) for _ in range(10 if len(flows) <= _FEW else 1))


def _by_connection(bridge: NodeBridge, flows: Sequence[Modification]) -> float:
    with OpenFlow(bridge.switch.location, BRIDGE) as connection:
        began = time.perf_counter()
        commit(connection, flows)
        return time.perf_counter() - began


def _by_process(bridge: NodeBridge, flows: Sequence[Modification]) -> float:
    location = bridge.switch.location
    with exclusive(location, BRIDGE) as lock:
        began = time.perf_counter()
        bundle(location, BRIDGE, [*map(modification_line, flows)], lock)
        return time.perf_counter() - began


def _peers(count: int) -> Sequence[Modification]:
    """Flows of a peer table, each with its own address and number."""
    matches = [Match("ip", (exactly(f.IPV4_DST, 0x0A000000 + number),)) for number in range(count)]
    flows = [
        Flow("EgressPeer", p.PEER + 32, match, (SetField(r.EGRESS_PEER, number),))
        for number, match in enumerate(matches, start=1)
    ]
    return [AddFlow(check_flow(flow)) for flow in flows]
