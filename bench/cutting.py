"""Time to cut open connections that the policies forbid, and the longest wait of a commit meanwhile."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bench.bridge import BRIDGE, NodeBridge, node_bridge
from bench.compiled import cluster_of, port_numbers, program_of
from bench.connections import CONNECTIONS, Choice
from bench.injection import Datapath
from bench.inputs import NODE, Inputs
from bench.process import processor_time
from bench.table import Cell, table, verdict
from ovsnp.apply.judged_objects import JudgedObjects
from ovsnp.apply.policy_cut import cut_forbidden
from ovsnp.flows.flow import Flow
from ovsnp.flows.match import Match
from ovsnp.flows.modification import AddFlow, AddGroup
from ovsnp.gc_pause import exempt_from_gc
from ovsnp.model.changes import Changes, Objects, all_objects
from ovsnp.model.cluster import Cluster
from ovsnp.model.options import Carrier, Options
from ovsnp.pipeline.carrier import option_map
from ovsnp.pipeline.ports import ROUTER_MAC
from ovsnp.switch.datapath import datapath
from ovsnp.switch.openflow.commit import commit
from ovsnp.switch.openflow.connection import OpenFlow
from ovsnp.switch.openflow.tlv_table import add_options
from ovsnp.switch.ovsdb import Database

SIZE = "S"
BAR = 1_000
"""Milliseconds from the request of a round to its end."""

WAIT_BAR = 50
"""Milliseconds that the longest commit of a flow may take meanwhile."""

HEAD = ("", "cut", "ms", "bar", "verdict", "processor, ms", "longest commit, ms", "bar", "verdict")

_PAUSE = 0.005
_FLOW = Flow("Service", 7, Match("ip"))


def measure(inputs: Inputs) -> Iterator[str]:
    """Rounds over the same connections: nothing is forbidden, and then all."""
    yield "## Cutting connections"
    yield (
        f"{CONNECTIONS:,} open TCP and UDP connections between the pods of node-0 in size {SIZE}, on the userspace"
        " datapath. A round waits for the datapath's flows, reads conntrack, judges all connections, cuts those that"
        " the policies forbid, and reads conntrack again. Meanwhile a thread of the same process commits a flow every"
        f" {_PAUSE * 1000:g} ms, as the loop of the agent would. Processor: the time of this process and ovs-vswitchd."
    )
    cluster = cluster_of(inputs, SIZE)
    numbers = port_numbers(cluster)
    with node_bridge(numbers) as bridge, bridge.switch.lasting_connections():
        with OpenFlow(bridge.switch.location, BRIDGE) as openflow:
            add_options(openflow, option_map(Carrier()))
            program = program_of(cluster, numbers)
            commit(openflow, [*map(AddGroup, program.groups), *map(AddFlow, program.flows)])
        Datapath(bridge, numbers).carry(Choice(cluster).connections(0), ROUTER_MAC)
        exempt_from_gc()
        yield table(HEAD, [*_rows(bridge, cluster)])


def _rows(bridge: NodeBridge, cluster: Cluster) -> Iterator[tuple[Cell, ...]]:
    objects = JudgedObjects()
    objects.update(Changes(came=all_objects(cluster)))
    yield "nothing is forbidden", *_round(bridge, objects)
    objects.update(Changes(went=Objects(policies=[each for each in cluster.policies if each.name != "default-deny"])))
    yield "all are forbidden", *_round(bridge, objects)
    yield "none is open", *_round(bridge, objects)


def _round(bridge: NodeBridge, objects: JudgedObjects) -> tuple[Cell, ...]:
    """The number of connections that are cut, and the two times with their bars."""
    location = bridge.switch.location
    with Database(location) as database:
        below = datapath(location, database, BRIDGE)
    with OpenFlow(location, BRIDGE) as openflow, _committing(openflow) as waits:
        began, spent = time.perf_counter(), _spent(bridge)
        cut = cut_forbidden(
            location,
            BRIDGE,
            below,
            objects,
            Options(BRIDGE, NODE),
            lambda modifications: commit(openflow, modifications),
            waiting=False,
        )
        taken, spent = (time.perf_counter() - began) * 1000, (_spent(bridge) - spent) * 1000
    longest = max(waits, default=0.0) * 1000
    return cut, taken, f"{BAR:,}", verdict(taken, BAR), spent, longest, f"{WAIT_BAR}", verdict(longest, WAIT_BAR)


def _spent(bridge: NodeBridge) -> float:
    """The seconds of processor time of this process and of ovs-vswitchd."""
    return time.process_time() + processor_time(bridge.switch.daemons["ovs-vswitchd"].pid)


@contextmanager
def _committing(openflow: OpenFlow) -> Iterator[Sequence[float]]:
    """Commit a flow again and again in a thread; gives the seconds of each commit."""
    waits: list[float] = []
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(_PAUSE):
            began = time.perf_counter()
            commit(openflow, [AddFlow(_FLOW)])
            waits.append(time.perf_counter() - began)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield waits
    finally:
        ended.set()
        thread.join()
