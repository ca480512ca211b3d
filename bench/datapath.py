"""The cost of the pipeline for the userspace datapath, compared with a learning switch and with conntrack alone."""

from collections.abc import Callable, Iterator, Sequence
from statistics import median
from typing import NamedTuple

from bench.bridge import BRIDGE, NodeBridge, node_bridge
from bench.compiled import cluster_of, port_numbers
from bench.compiling import OVSNP
from bench.connections import CONNECTIONS, Choice, Connection, ends
from bench.injection import AT_ONCE, Cost, Datapath
from bench.inputs import NODE, Inputs
from bench.packets import announcement
from bench.process import run
from bench.table import Cell, table
from ovsnp.pipeline.ports import ROUTER_MAC

SIZE = "M"
_CONNTRACK_ONLY = (
    "priority=1,ip actions=ct(table=1,zone=1)",
    "priority=0 actions=NORMAL",
    "table=1,ip,ct_state=+trk+new actions=ct(commit,zone=1),NORMAL",
    "table=1,ip,ct_state=+trk+est actions=NORMAL",
)
HEAD = (
    "bridge",
    "megaflows, most",
    "upcalls",
    "upcalls a connection",
    "recirculations",
    "conntrack entries",
    "time, us a connection",
    "processor, us a connection",
)


class Case(NamedTuple):
    """A bridge to compare: the function that installs its flows, and the MAC of the router, if pods send to one."""

    name: str
    install: Callable[[NodeBridge], None]
    router: int | None


def measure(inputs: Inputs) -> Iterator[str]:
    """The same connections through each bridge, first all allowed, then half of them denied."""
    cluster = cluster_of(inputs, SIZE)
    numbers = port_numbers(cluster)
    choice = Choice(cluster)

    def apply(bridge: NodeBridge) -> None:
        file = str(inputs.file(SIZE, minimal=True))
        run([OVSNP, "apply", "-f", file, "--node", NODE, "--quiet"], bridge.environment)

    cases = (
        Case("ovsnp", apply, ROUTER_MAC),
        Case("actions=NORMAL", lambda bridge: _install(bridge, "actions=NORMAL"), None),
        Case("conntrack only", lambda bridge: _install(bridge, *_CONNTRACK_ONLY), None),
    )
    yield f"## Datapath: {CONNECTIONS:,} connections between the {len(numbers)} pods of node-0, {SIZE}"
    yield _explained(choice)
    announcements = {key: announcement(end) for key, end in ends(cluster).items()}
    for share in (0.0, 0.5):
        connections = choice.connections(share)
        costs: dict[str, list[Cost]] = {case.name: [] for case in cases}
        for _ in range(inputs.runs):
            for case in cases:
                with node_bridge(numbers) as bridge:
                    case.install(bridge)
                    datapath = Datapath(bridge, numbers)
                    datapath.prime(announcements)
                    costs[case.name].append(datapath.carry(connections, case.router))
        yield _workload(connections)
        yield table(HEAD, [_row(name, found) for name, found in costs.items()])


def _install(bridge: NodeBridge, *flows: str) -> None:
    for flow in flows:
        bridge.switch.run(["ovs-ofctl", "-O", "OpenFlow15", "add-flow", BRIDGE, flow])


def _explained(choice: Choice) -> str:
    allowed, denied = (sum(map(len, kinds.values())) for kinds in (choice.allowed, choice.denied))
    return (
        f"Every pod could try every named port of every other: {allowed:,} ways are allowed"
        f" (to {', '.join(sorted(choice.allowed))}), {denied:,} are denied. A TCP connection is SYN, SYN+ACK and ACK; a"
        " UDP one a question and an answer; one that is denied only its first packet, on every bridge. The same packets"
        " go through each bridge (to the router's MAC with ovsnp, to the peer's with the others, who have learned it);"
        f" {AT_ONCE} connections at a time, each from an ephemeral port of its own, ports in turn. Time is that of the"
        " whole way through the daemon's control socket, which is the same for all; one thread does everything."
    )


def _workload(connections: Sequence[Connection]) -> str:
    allowed = sum(connection.allowed for connection in connections)
    ways = {each.attempt.way for each in connections}
    pairs = {way[:2] for way in ways}
    return (
        f"### {allowed:,} allowed, {len(connections) - allowed:,} denied: {len(pairs):,} pairs of pods, {len(ways):,}"
        " with the port"
    )


def _row(name: str, costs: Sequence[Cost]) -> tuple[Cell, ...]:
    """The counts of the costliest run, and medians of the times."""
    upcalls = max(cost.upcalls for cost in costs)
    per_connection = 1e6 / CONNECTIONS
    return (
        name,
        max(cost.megaflows for cost in costs),
        upcalls,
        upcalls / CONNECTIONS,
        max(cost.recirculations for cost in costs),
        max(cost.tracked for cost in costs),
        round(median(cost.wall for cost in costs) * per_connection),
        round(median(cost.processor for cost in costs) * per_connection),
    )
