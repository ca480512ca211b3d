"""Computes what `apply` would do to a running bridge, and changes nothing."""

from collections.abc import Mapping

import msgspec

from ovsnp.apply.forget import remembered
from ovsnp.apply.guards import left_over, require_complete
from ovsnp.apply.holders import ChangedHolders, changed, holders
from ovsnp.apply.plan import BridgePlan, plan
from ovsnp.apply.synchronise import STANDALONE
from ovsnp.compiler import compile_cluster, local_pods
from ovsnp.flows.program import Program
from ovsnp.gc_pause import gc_paused
from ovsnp.model.bridge import BridgePorts, Oddity
from ovsnp.model.cluster import Cluster
from ovsnp.model.options import Encap, Options
from ovsnp.switch.bridge import is_secure, lacks
from ovsnp.switch.conntrack import conntrack
from ovsnp.switch.datapath import datapath
from ovsnp.switch.drop_meter import lacking_meter
from ovsnp.switch.dump import InstalledFlow, InstalledGroup, parse_dump, parse_group
from ovsnp.switch.location import Location
from ovsnp.switch.lock import exclusive
from ovsnp.switch.ofctl import dump_flows, dump_groups, hidden_fragments
from ovsnp.switch.option_map import unmapped_options
from ovsnp.switch.ovsdb import Database
from ovsnp.switch.ports import read_ports
from ovsnp.switch.record import read_record


class Preview(msgspec.Struct, frozen=True):
    """The content of a bridge, what `apply` would change, and the pods that it would leave out.

    ``bridge`` are the steps on the bridge itself, in the words of `apply`. ``dumped`` are the flows and groups as Open
    vSwitch prints them. ``forgotten`` is the number of connections that conntrack would forget: those of pods that are
    gone, or all connections if there is no record of the earlier pods (not ``known``). ``odd`` is as in `ApplyResult`.
    """

    bridge: tuple[str, ...]
    program: Program
    plan: BridgePlan
    flows: tuple[InstalledFlow, ...]
    groups: Mapping[int, InstalledGroup]
    without_port: tuple[str, ...]
    odd: tuple[Oddity, ...]
    ports: BridgePorts
    dumped: tuple[str, ...]
    forgotten: int
    known: bool


@gc_paused()
def preview(location: Location, cluster: Cluster, options: Options, *, remove_missing: bool = False) -> Preview:
    """Compile for a running bridge, and compare; changes nothing.

    Other runs of ovsnp must wait only while the bridge is read. A port that `apply` has not made yet is assumed to get
    the number that it asks for. Raises InputError where `apply` would, SwitchError if the bridge cannot be read or
    `apply` would refuse.
    """
    pods = local_pods(cluster, options.node)
    with exclusive(location, options.bridge), Database(location) as database:
        ports = read_ports(database.interfaces(options.bridge), pods)
        dumped = dump_flows(location, options.bridge), dump_groups(location, options.bridge)
        flows, groups = tuple(map(parse_dump, dumped[0])), list(map(parse_group, dumped[1]))
        if not remove_missing:
            require_complete(cluster, ports, options, flows)
        secure, lacking = is_secure(database, options.bridge), lacks(database, options.bridge, options.encap)
        lacking += hidden_fragments(location, options.bridge)
        if options.encap is Encap.GENEVE:
            lacking += unmapped_options(location, options.bridge, options.carrier)
        if options.log_drops:
            lacking += lacking_meter(location, options.bridge)
        turned = changed(read_record(location, options.bridge), holders(cluster.pods))
        forgotten = _forgotten(location, database, options.bridge, turned) if turned else 0
    if not secure and any(flow.text == STANDALONE for flow in flows):
        lacking.append(f"Open vSwitch's own flow removed with fail_mode: {STANDALONE}")
    program = compile_cluster(cluster, ports, options)
    return Preview(
        tuple(lacking),
        program,
        plan(flows, groups, program),
        flows,
        {group.id: group for group in groups},
        tuple(pod.key for pod in pods if pod.key not in ports.pods),
        (*ports.odd, *left_over(cluster, ports, options)),
        ports,
        (*dumped[0], *dumped[1]),
        forgotten,
        turned.known,
    )


def _forgotten(location: Location, database: Database, bridge: str, turned: ChangedHolders) -> int:
    with conntrack(location, bridge, datapath(location, database, bridge)) as tracker:
        return remembered(tracker, turned)
