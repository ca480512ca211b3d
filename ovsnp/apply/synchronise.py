"""Brings a running bridge to a program: what the bridge itself lacks, then the difference as one transaction."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import msgspec

from ovsnp.apply.cut import unserved
from ovsnp.apply.forget import Forgotten, cut
from ovsnp.apply.holders import Holders, changed, record
from ovsnp.apply.plan import BridgePlan, plan
from ovsnp.apply.turnover import Turnover
from ovsnp.errors import SwitchError
from ovsnp.flows import modification as m
from ovsnp.flows.program import Program
from ovsnp.model.options import Encap, Options
from ovsnp.pipeline.cookies import is_ours
from ovsnp.pipeline.drop_log import METER
from ovsnp.render import modification_line
from ovsnp.switch.bridge import complete_bridge, is_secure
from ovsnp.switch.conntrack import Tracked, conntrack
from ovsnp.switch.datapath import Datapath, datapath, waits_for_flows
from ovsnp.switch.drop_meter import make_meter
from ovsnp.switch.dump import InstalledFlow, parse_dump, parse_group
from ovsnp.switch.location import Location
from ovsnp.switch.ofctl import bundle, dump_flows, dump_groups, show_fragments
from ovsnp.switch.option_map import map_options
from ovsnp.switch.ovsdb import Database
from ovsnp.switch.record import read_record, write_record

STANDALONE = "priority=0 actions=NORMAL"
"""The flow that Open vSwitch itself adds to a bridge that is not secure."""


class Synchronised(msgspec.Struct, frozen=True):
    """The changes that were made: flows and groups in numbers, and the connections that conntrack had to forget.

    ``cut`` are connections to endpoints that are gone, ``forgotten`` connections of pods that are gone, or all
    connections if there is no record of the earlier pods (not ``known``).
    """

    plan: BridgePlan
    cut: Forgotten
    forgotten: Forgotten
    known: bool


def synchronise(
    location: Location,
    database: Database,
    bridge: str,
    program: Program,
    change: BridgePlan,
    now: Holders,
    lock: int,
) -> Synchronised:
    """Change the flows and groups of a bridge to exactly a program, in one atomic transaction.

    ``change`` is the result of `plan_for` under the same lock, ``now`` are the holders of all addresses. ``lock`` is
    the descriptor from `ovsnp.switch.lock.exclusive`. Raises SwitchError if Open vSwitch refuses the flows, which are
    then as they were, or if connections that must go stay in conntrack.

    The same transaction closes the addresses that have a new holder since the last run, until conntrack has forgotten
    the connections of the last holder. Then the new holders are recorded, and then the addresses are opened. If ovsnp
    is killed in between, they stay closed, and the next run finds the same addresses again.
    """

    def carry_out(modifications: Sequence[m.Modification]) -> None:
        bundle(location, bridge, [*map(modification_line, modifications)], lock)

    turned = changed(read_record(location, bridge), now)
    turnover = Turnover(location, bridge, turned, carry_out)
    if change or turnover.closing:
        bundle(location, bridge, [*bundle_lines(change), *map(modification_line, turnover.closing)], lock)
    below, forgotten = datapath(location, database, bridge), Forgotten()
    # All connections count, not only those that this change cuts: the last run may have been killed before this step.
    cut_off = cut_endpoints(location, bridge, below, unserved(program.frontends))
    if turned:
        affinity = (lambda: program) if any(frontend.affinity for frontend in program.frontends) else None
        forgotten = turnover.forget(below, affinity, lock, waiting=waits_for_flows(database))
        write_record(location, bridge, record(now))
        turnover.open()
    return Synchronised(change, cut_off, forgotten, turned.known)


def plan_for(location: Location, bridge: str, program: Program) -> BridgePlan:
    """The changes from the flows and groups on a bridge to a program; raises SwitchError."""
    groups = [parse_group(line) for line in dump_groups(location, bridge)]
    return plan(installed(location, bridge), groups, program)


def complete(location: Location, database: Database, options: Options, lock: int) -> list[str]:
    """Give the bridge what the flows need; returns the steps that were done, in words."""
    with _others_kept(location, database, options.bridge, lock):
        done = complete_bridge(database, options.bridge, options.encap)
    done += show_fragments(location, options.bridge)
    if options.encap is Encap.GENEVE:
        done += map_options(location, options.bridge, options.carrier)
    if options.log_drops and (made := make_meter(location, options.bridge)):
        done += made
        _use_meter(location, options.bridge, lock)
    return done


def _use_meter(location: Location, bridge: str, lock: int) -> None:
    """Have flows that are older than the meter use it: Open vSwitch looks for the meter only when it takes a flow."""
    older = (flow for flow in installed(location, bridge) if is_ours(flow.cookie))
    lines = [f"flow modify_strict {flow.text}" for flow in older if f"meter_id={METER}" in flow.actions]
    if lines:
        bundle(location, bridge, lines, lock)


def cut_endpoints(location: Location, bridge: str, below: Datapath, gone: Callable[[Tracked], bool]) -> Forgotten:
    """Make conntrack forget connections to endpoints that are gone; raises SwitchError."""
    try:
        with conntrack(location, bridge, below) as tracker:
            return cut(tracker, gone)
    except SwitchError as error:
        raise SwitchError(
            f"flows are as they should be, but connections to endpoints that are gone could not be cut: {error}"
        ) from error


def installed(location: Location, bridge: str) -> list[InstalledFlow]:
    """The flows on a bridge; raises SwitchError."""
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
    others = (flow for flow in installed(location, bridge) if not is_ours(flow.cookie))
    return {flow.slot: flow.text for flow in others if flow.text != STANDALONE}


def bundle_lines(change: BridgePlan) -> list[str]:
    """A plan as lines for ``ovs-ofctl bundle``."""
    return [*(flow.delete_line for flow in change.deleted), *map(modification_line, _modifications(change))]


def _modifications(change: BridgePlan) -> Iterator[m.Modification]:
    yield from map(m.AddGroup, change.groups_added)
    yield from map(m.ModifyGroup, change.groups_replaced)
    for group in change.groups_changed:
        yield from (m.RemoveBucket(group.group.id, bucket) for bucket in group.lost)
        if group.gained:
            yield m.InsertBuckets(group.group.id, group.gained)
    yield from map(m.ModifyFlow, change.changed)
    yield from map(m.AddFlow, (*change.replaced, *change.added))
    yield from map(m.DeleteGroup, change.groups_deleted)
