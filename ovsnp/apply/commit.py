"""Carries out a plan on a running bridge."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

import msgspec

from ovsnp.apply.cut import EndpointConnections
from ovsnp.apply.forget import Forgotten, cut
from ovsnp.apply.guards import left_over, require_complete
from ovsnp.apply.plan import BridgePlan, plan
from ovsnp.apply.turnover import Turnover
from ovsnp.compiler import compile_cluster, local_pods
from ovsnp.errors import SwitchError
from ovsnp.flows import modification as m
from ovsnp.flows.program import Program
from ovsnp.gc_pause import gc_paused
from ovsnp.model.bridge import Oddity
from ovsnp.model.cluster import Cluster
from ovsnp.model.options import Encap, Options
from ovsnp.pipeline.cookies import is_ours
from ovsnp.render import modification_line
from ovsnp.switch.bridge import complete_bridge, is_secure
from ovsnp.switch.conntrack import conntrack
from ovsnp.switch.datapath import datapath
from ovsnp.switch.dump import InstalledFlow, parse_dump, parse_group
from ovsnp.switch.location import Location
from ovsnp.switch.lock import exclusive
from ovsnp.switch.ofctl import bundle, dump_flows, dump_groups, show_fragments
from ovsnp.switch.option_map import map_options
from ovsnp.switch.ovsdb import Database
from ovsnp.switch.ports import read_ports

STANDALONE = "priority=0 actions=NORMAL"
"""The flow that Open vSwitch itself adds to a bridge that is not secure."""


class ApplyResult(msgspec.Struct, frozen=True):
    """What `apply` did: steps on the bridge itself in words, changes of flows in numbers, and the pods left out.

    ``cut`` is the number of connections that were cut because the endpoint of a Service is gone. ``forgotten`` is the
    number of connections of pods that are gone, or of all connections if there is no record of the earlier pods (not
    ``known``). ``emptied`` are the conntrack zones in which all connections had to be forgotten, as single ones could
    not be. ``odd`` is what is wrong with the interfaces of pods; local pods that are closed for it are among the pods
    left out.
    """

    bridge: tuple[str, ...]
    added: int
    changed: int
    deleted: int
    groups: int
    cut: int
    forgotten: int
    known: bool
    emptied: tuple[int, ...]
    without_port: tuple[str, ...]
    odd: tuple[Oddity, ...]


@gc_paused()
def apply(location: Location, cluster: Cluster, options: Options, *, remove_missing: bool = False) -> ApplyResult:
    """Compile for a running bridge, and change it to exactly this program in one atomic transaction.

    Local pods without a port on the bridge are left out and named. Only flows with ovsnp's cookies are touched. Raises
    InputError, before any change, if the cluster lacks objects that the bridge serves, unless ``remove_missing`` is
    true: then apply removes their flows. Raises SwitchError if Open vSwitch refuses the flows, which are then as they
    were, or if connections that must go stay in conntrack.

    The same transaction closes the addresses that have a new holder since the last run, until conntrack has forgotten
    the connections of the last holder. Then the new holders are recorded, and then the addresses are opened. If ovsnp
    is killed in between, they stay closed, and the next run finds the same addresses again.
    """
    pods = local_pods(cluster, options.node)
    with exclusive(location, options.bridge) as lock, Database(location) as database:
        ports = read_ports(database, options.bridge, pods)
        if not remove_missing:
            installed = () if cluster.nodes else _installed(location, options.bridge)
            require_complete(cluster, ports, options, installed)
        program = compile_cluster(cluster, ports, options)
        change = _plan(location, options.bridge, program)
        done = _complete(location, database, options, lock)
        if done:
            # Open vSwitch usually grants the port numbers that it is asked for; then the program stays as it is.
            granted = read_ports(database, options.bridge, pods)
            if granted != ports:
                ports, program = granted, compile_cluster(cluster, granted, options)
            change = _plan(location, options.bridge, program)
        turnover = Turnover(location, options.bridge, cluster)
        if change or turnover.closing:
            bundle(location, options.bridge, [*bundle_lines(change), *turnover.closing], lock)
        cut_off = _cut(location, database, options.bridge, change.cut) if change.cut else Forgotten()
        forgotten = turnover.complete(database, program, lock) if turnover.closing else Forgotten()
    return ApplyResult(
        tuple(done),
        len(change.added),
        len(change.changed) + len(change.replaced),
        len(change.deleted),
        change.groups,
        cut_off.connections,
        forgotten.connections,
        turnover.known,
        (cut_off + forgotten).emptied,
        tuple(pod.key for pod in pods if pod.key not in ports.pods),
        (*ports.odd, *left_over(cluster, ports, options)),
    )


def _plan(location: Location, bridge: str, program: Program) -> BridgePlan:
    groups = [parse_group(line) for line in dump_groups(location, bridge)]
    return plan(_installed(location, bridge), groups, program)


def _complete(location: Location, database: Database, options: Options, lock: int) -> list[str]:
    """Give the bridge what the flows need; returns the steps that were done, in words."""
    with _others_kept(location, database, options.bridge, lock):
        done = complete_bridge(database, options.bridge, options.encap)
    done += show_fragments(location, options.bridge)
    if options.encap is Encap.GENEVE:
        done += map_options(location, options.bridge, options.carrier)
    return done


def _cut(
    location: Location, database: Database, bridge: str, connections: Collection[EndpointConnections]
) -> Forgotten:
    try:
        with conntrack(location, bridge, datapath(location, database, bridge)) as tracker:
            return cut(tracker, connections)
    except SwitchError as error:
        raise SwitchError(
            f"flows are as they should be, but connections to endpoints that are gone could not be cut: {error}"
        ) from error


def _installed(location: Location, bridge: str) -> list[InstalledFlow]:
    return [parse_dump(line) for line in dump_flows(location, bridge)]


@contextmanager
def _others_kept(location: Location, database: Database, bridge: str, lock: int) -> Iterator[None]:
    """Restore other programs' flows, and groups, if ``fail_mode`` changes meanwhile, which empties the bridge."""
    if is_secure(database, bridge):
        yield
        return
    groups, flows = _groups(location, bridge), _others(location, bridge)
    try:
        yield
    finally:
        groups_left, flows_left = _groups(location, bridge), _others(location, bridge)
        lines = [f"group add {text}" for number, text in groups.items() if number not in groups_left]
        lines += [f"flow add {text}" for slot, text in flows.items() if slot not in flows_left]
        if lines:
            bundle(location, bridge, lines, lock)


def _groups(location: Location, bridge: str) -> dict[str, str]:
    return {text.partition(",")[0]: text for text in dump_groups(location, bridge)}


def _others(location: Location, bridge: str) -> dict[object, str]:
    installed = _installed(location, bridge)
    return {flow.slot: flow.text for flow in installed if not is_ours(flow.cookie) and flow.text != STANDALONE}


def bundle_lines(change: BridgePlan) -> list[str]:
    """A plan as lines for ``ovs-ofctl bundle``."""
    return [*(flow.delete_line for flow in change.deleted), *map(modification_line, _modifications(change))]


def _modifications(change: BridgePlan) -> Iterator[m.Modification]:
    yield from map(m.AddGroup, change.groups_added)
    yield from map(m.ModifyGroup, change.groups_replaced)
    for changed in change.groups_changed:
        yield from (m.RemoveBucket(changed.group.id, bucket) for bucket in changed.lost)
        if changed.gained:
            yield m.InsertBuckets(changed.group.id, changed.gained)
    yield from map(m.ModifyFlow, change.changed)
    yield from map(m.AddFlow, (*change.replaced, *change.added))
    yield from map(m.DeleteGroup, change.groups_deleted)
