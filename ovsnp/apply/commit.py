"""Carries out `apply` on a running bridge."""

from collections.abc import Sequence

import msgspec

from ovsnp.apply.guards import left_over, require_complete
from ovsnp.apply.holders import holders
from ovsnp.apply.judged_objects import JudgedObjects
from ovsnp.apply.policy_cut import cut_forbidden
from ovsnp.apply.synchronise import Synchronised, complete, installed, plan_for, synchronise
from ovsnp.compiler import compile_cluster, local_pods
from ovsnp.errors import SwitchError
from ovsnp.flows.modification import Modification
from ovsnp.gc_pause import gc_paused
from ovsnp.model.bridge import Oddity
from ovsnp.model.changes import Changes, all_objects
from ovsnp.model.cluster import Cluster
from ovsnp.model.options import Established, Options
from ovsnp.render import modification_line
from ovsnp.switch.datapath import datapath, waits_for_flows
from ovsnp.switch.location import Location
from ovsnp.switch.lock import exclusive, require_unkept
from ovsnp.switch.ofctl import bundle
from ovsnp.switch.ovsdb import Database
from ovsnp.switch.ports import read_ports


class ApplyResult(msgspec.Struct, frozen=True):
    """What `apply` did: steps on the bridge itself in words, changes of flows in numbers, and the pods left out.

    ``cut`` is the number of connections that were cut because the endpoint of a Service is gone. ``forgotten`` is the
    number of connections of pods that are gone, or of all connections if there is no record of the earlier pods (not
    ``known``). ``emptied`` are the conntrack zones in which all connections had to be forgotten, as single ones could
    not be. ``cut_by_policy`` is the number of connections that were cut because the policies forbid them; 0 unless
    `apply` was told to cut them. ``odd`` is what is wrong with the interfaces of pods; local pods that are closed for
    it are among the pods left out.
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
    cut_by_policy: int
    without_port: tuple[str, ...]
    odd: tuple[Oddity, ...]


@gc_paused()
def apply(
    location: Location,
    cluster: Cluster,
    options: Options,
    *,
    remove_missing: bool = False,
    established: Established = Established.KEEP,
) -> ApplyResult:
    """Compile for a running bridge, and change it to exactly this program in one atomic transaction.

    Local pods without a port on the bridge are left out and named. Only flows with ovsnp's cookies are touched. Raises
    InputError, before any change, if the cluster lacks objects that the bridge serves, unless ``remove_missing`` is
    true: then apply removes their flows. ``established`` says what happens to open connections that the policies
    forbid; no other connection is touched. Raises SwitchError, before any change, if an agent keeps the bridge; also if
    Open vSwitch refuses the flows, which are then as they were, or if connections that must go stay in conntrack.
    """
    pods = local_pods(cluster, options.node)
    with exclusive(location, options.bridge) as lock, Database(location) as database:
        require_unkept(location, options.bridge)
        ports = read_ports(database.interfaces(options.bridge), pods)
        if not remove_missing:
            there = () if cluster.nodes else installed(location, options.bridge)
            require_complete(cluster, ports, options, there)
        program = compile_cluster(cluster, ports, options)
        change = plan_for(location, options.bridge, program)
        done = complete(location, database, options, lock)
        if done:
            # Open vSwitch usually grants the port numbers that it is asked for; then the program stays as it is.
            granted = read_ports(database.interfaces(options.bridge), pods)
            if granted != ports:
                ports, program = granted, compile_cluster(cluster, granted, options)
            change = plan_for(location, options.bridge, program)
        outcome = synchronise(location, database, options.bridge, program, change, holders(cluster.pods), lock)
        ended = 0
        if established is Established.CUT:
            ended = _cut_forbidden(location, database, cluster, options, lock)
    without_port = tuple(pod.key for pod in pods if pod.key not in ports.pods)
    return _result(done, outcome, ended, without_port, (*ports.odd, *left_over(cluster, ports, options)))


def _result(
    steps: Sequence[str],
    outcome: Synchronised,
    ended: int,
    without_port: tuple[str, ...],
    odd: tuple[Oddity, ...],
) -> ApplyResult:
    change = outcome.plan
    return ApplyResult(
        tuple(steps),
        len(change.added),
        len(change.changed) + len(change.replaced),
        len(change.deleted),
        change.groups,
        outcome.cut.connections,
        outcome.forgotten.connections,
        outcome.known,
        (outcome.cut + outcome.forgotten).emptied,
        ended,
        without_port,
        odd,
    )


def _cut_forbidden(location: Location, database: Database, cluster: Cluster, options: Options, lock: int) -> int:
    def carry_out(modifications: Sequence[Modification]) -> None:
        bundle(location, options.bridge, [*map(modification_line, modifications)], lock)

    objects = JudgedObjects()
    objects.update(Changes(came=all_objects(cluster)))
    try:
        below = datapath(location, database, options.bridge)
        waiting = waits_for_flows(database)
        return cut_forbidden(location, options.bridge, below, objects, options, carry_out, waiting=waiting)
    except SwitchError as error:
        raise SwitchError(
            f"flows are as they should be, but connections that the policies forbid could not be cut: {error}"
        ) from error
