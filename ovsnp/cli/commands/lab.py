"""``ovsnp lab``: a cluster of nodes and pods on this machine, with real packets."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.text import Text

from ovsnp.cli.configuration import config_option
from ovsnp.cli.lab_input import LabInput, lab_input
from ovsnp.cli.options import tell_notes
from ovsnp.cli.plain import say, tell
from ovsnp.cli.standing_lab import DEFAULT_NAME, described, hints, interruptible
from ovsnp.cli.terminal import Terminal
from ovsnp.document import document_text
from ovsnp.errors import Exit, OvsnpError, UsageError
from ovsnp.lab import standing, topology
from ovsnp.lab.datapath import DatapathType
from ovsnp.lab.demo import compiled, demonstrate
from ovsnp.lab.journal import Settings
from ovsnp.lab.matrix import Matrix, concerned
from ovsnp.lab.matrix_json import document
from ovsnp.lab.matrix_text import report
from ovsnp.lab.measuring import measuring
from ovsnp.lab.own.planning import MOST_PODS, LabPlan, plan
from ovsnp.lab.pace import PATIENCE, RATE, Pace
from ovsnp.lab.probes import sctp_available
from ovsnp.lab.runtime import NETNS, RUNTIMES
from ovsnp.lab.shipped import shipped_topology
from ovsnp.lab.standing import Lab
from ovsnp.model.options import Encap
from ovsnp.model.ports import Protocol

DEMO_NAME = "ovsnp-demo"

Command = TypeVar("Command", bound=Callable[..., Any])

_topology = click.option(
    "-t",
    "--topo",
    "topo",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    help="Topology file in containerlab's format; the manifests of its cluster are in the folder cluster beside it."
    "  [default: the topology of ovsnp's own lab]",
)
_runtime = click.option(
    "--runtime",
    type=click.Choice([*RUNTIMES]),
    default=NETNS,
    show_default=True,
    help="How nodes are built: as network namespaces, or as containers with containerlab and Docker.",
)
_encap = click.option(
    "--encap", type=click.Choice(Encap, case_sensitive=False), default=Encap.GENEVE, help="The tunnel between nodes."
)
_strict = click.option("--strict-nodes/--no-strict-nodes", help="Only a pod's own node may always reach it.")
_masquerade = click.option(
    "--masquerade/--no-masquerade", help="Send Service-bound traffic to other nodes from the gateway's address."
)
_no_color = click.option("--no-color", is_flag=True, help="No colour, even on a terminal.")


def _name(default: str) -> Callable[[Command], Command]:
    return click.option(
        "--name",
        default=default,
        show_default=True,
        help="The name of the lab; several labs with different names can exist.",
    )


@click.group()
def lab() -> None:
    """A cluster of nodes and pods on this machine, measured with real packets."""


@lab.command(short_help="Build a lab.")
@_topology
@_name(DEFAULT_NAME)
@_runtime
@click.option(
    "--datapath",
    type=click.Choice(DatapathType, case_sensitive=False),
    default=DatapathType.NETDEV,
    help="Datapath of Open vSwitch: in ovs-vswitchd (netdev), or in the kernel (system; needs module openvswitch).",
)
@_encap
@_strict
@_masquerade
@click.option(
    "--most-pods",
    type=click.IntRange(2),
    default=MOST_PODS,
    show_default=True,
    metavar="NUMBER",
    help="The greatest number of pods that the lab takes from the cluster of -f or --cluster.",
)
@click.option(
    "--agents",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    metavar="KUBECONFIG",
    help="Run ovsnp agent on each node: the nodes follow this API server, which must have the cluster of the topology.",
)
@lab_input
@config_option
def up(
    *,
    topo: Path | None,
    name: str,
    runtime: str,
    datapath: DatapathType,
    encap: Encap,
    strict_nodes: bool,
    masquerade: bool,
    most_pods: int,
    agents: Path | None,
    given: LabInput,
) -> None:
    """Build the lab and apply the policies on its nodes.

    If -f names manifests with nodes, and -t is not given, the lab is a copy of that cluster: its nodes and pods, with
    their own names, labels and addresses, and hosts outside for the blocks of its policies. Of many pods, the lab has a
    selection: every policy selects some of them, admits some and does not admit others. With --cluster the lab is such
    a copy of the live cluster.
    """
    if agents and (given or runtime != NETNS):
        raise UsageError(
            "with --agents policies come from the API server, to nodes of namespaces; leave out -f, --cluster,"
            " --runtime"
        )
    if topo and given.from_cluster:
        raise UsageError("a lab of the live cluster has the topology of that cluster; leave out -t, or --cluster")
    own = None if topo else _own(given, runtime, most_pods)
    settings = Settings(
        name=name,
        runtime=runtime,
        topology=str((topo or shipped_topology()).absolute()),
        encap=encap,
        manifests=given.files,
        strict_nodes=strict_nodes,
        masquerade=masquerade,
        datapath=datapath,
        agents=str(agents.absolute()) if agents else None,
    )
    with interruptible():
        built = standing.up(settings, _progress, own)
        tell_notes(built.cluster)
        say(described(built))
        for line in hints(built):
            say(line)


@lab.command(short_help="Apply other policies on the nodes of a lab.")
@_name(DEFAULT_NAME)
@click.option(
    "--masquerade/--no-masquerade",
    default=None,
    help="Send Service-bound traffic to other nodes from the gateway's address.  [default: as before]",
)
@lab_input
@config_option
def apply(*, name: str, masquerade: bool | None, given: LabInput) -> None:
    """Apply these policies on every node of a standing lab, in place of the policies before; without -f, no policy.

    With --cluster the policies are those that the live cluster has now.
    """
    with interruptible():
        found = standing.find(name)
        with found.directory.locked():
            found.apply(given.policies(found), masquerade=masquerade)
        tell_notes(found.cluster)
        say(f"lab {name}: {len(found.cluster.policies)} policies on {len(found.nodes)} nodes")


@lab.command(short_help="Measure who reaches whom, and compare it with the policies.")
@_name(DEFAULT_NAME)
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option(
    "--rate",
    type=click.FloatRange(0, min_open=True),
    default=RATE,
    show_default=True,
    metavar="NUMBER",
    help="Connections to begin in a second; fewer if the machine is too slow.",
)
@click.option(
    "--patience",
    type=click.FloatRange(0, min_open=True),
    default=PATIENCE,
    show_default=True,
    metavar="SECONDS",
    help="Time after which a connection without an answer counts as silent; more if it must connect.",
)
@click.option(
    "--sample",
    type=click.IntRange(1),
    metavar="NUMBER",
    help="Try only this number of connections, spread evenly over all.  [default: all]",
)
@_no_color
@config_option
def test(*, name: str, output: str, rate: float, patience: float, sample: int | None, no_color: bool) -> None:
    """Try every pair of ends in both directions, and compare the connections with the policies.

    Exits with 1 if any cell differs.
    """
    with interruptible():
        matrix = _measured(standing.find(name), Pace(rate, patience, sample))
    if output == "json":
        click.echo(document_text(document(matrix, name)), nl=False)
    else:
        show = _shower(no_color)
        for line in report(matrix):
            show(line)
    if matrix.failed:
        sys.exit(Exit.NO)


@lab.command(short_help="Restart the Open vSwitch of a node, to try this fault.")
@click.argument("node")
@_name(DEFAULT_NAME)
@config_option
def restart(*, node: str, name: str) -> None:
    """Restart the ovs-vswitchd of a node of a standing lab.

    Nothing passes there until the next ovsnp lab apply, or until the agent of the node has put the flows back: the
    flows are gone, and, with the userspace datapath, also the connections in conntrack.
    """
    with interruptible():
        found = standing.find(name)
        with found.directory.locked():
            found.restart_switch(node)
    next_step = "its agent makes them again" if found.settings.agents else "give it some: ovsnp lab apply"
    say(f"{node}: ovs-vswitchd is new, without flows; {next_step}")


@lab.command(short_help="Remove a lab.")
@_name(DEFAULT_NAME)
@config_option
def down(name: str) -> None:
    """Remove the lab, even if it is only partly built."""
    with interruptible():
        gone = standing.down(name)
    say(f"lab {name} is gone" if gone else f"there is no lab {name}; nothing to take away")


@lab.command(short_help="Show four policies, one after another, on a temporary lab.")
@_topology
@_name(DEMO_NAME)
@_runtime
@_encap
@_masquerade
@_no_color
@config_option
def demo(*, topo: Path | None, name: str, runtime: str, encap: Encap, masquerade: bool, no_color: bool) -> None:
    """Build a lab, apply its demo policies one after another, show what each one changes, remove the lab.

    If this machine cannot run a lab, show the reason, and the flows that the policies compile to.
    """
    try:
        RUNTIMES[runtime].check_machine(DatapathType.NETDEV)
    except OvsnpError as error:
        click.echo(compiled(topology.read(topo or shipped_topology())), nl=False)
        tell(f"left out: the lab and its connections: {error}")
        return
    settings = Settings(name, runtime, str((topo or shipped_topology()).absolute()), encap, masquerade=masquerade)
    with interruptible():
        with standing.temporary(settings, _progress) as built:
            say(described(built))
            good = demonstrate(built, _shower(no_color), built.apply)
        say(f"lab {name} is gone")
    if not good:
        sys.exit(Exit.NO)


def _own(given: LabInput, runtime: str, most_pods: int) -> LabPlan | None:
    """A lab of the user's own cluster; None if the manifests add to the cluster of the topology."""
    cluster = given.own_cluster()
    if cluster is None:
        return None
    if runtime != NETNS:
        raise UsageError(f"a lab of your own cluster is built of network namespaces; leave out --runtime {runtime}")
    tell_notes(cluster)
    planned = plan(cluster, most_pods)
    for line in planned.left_out:
        tell(f"left out: {line}")
    return planned


def _measured(found: Lab, pace: Pace) -> Matrix:
    """Measure a standing lab; leaves out what cannot be tried, and says so."""
    traffics = concerned(found.cluster)
    if not sctp_available() and any(traffic.protocol is Protocol.SCTP for traffic in traffics):
        tell("this kernel has no SCTP: its ports are not tried")
        traffics = [traffic for traffic in traffics if traffic.protocol is not Protocol.SCTP]
    containers = {node.pod for node in found.topology.nodes}
    if absent := [pod.key for pod in found.cluster.pods if pod.key not in containers]:
        tell(f"not in the topology, so not tried: {', '.join(absent)}")
    with measuring(found, traffics) as measured:
        return measured(pace)


def _progress(line: str) -> None:
    if sys.stderr.isatty():
        tell(line)


def _shower(no_color: bool) -> Callable[[Text], None]:
    """A function that prints a line, in colour only on a terminal."""
    return Terminal(no_color=no_color or None, highlight=False).write
