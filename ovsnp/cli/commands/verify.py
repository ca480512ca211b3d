"""``ovsnp verify``."""

import gc
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.status import Status

from ovsnp import compile_cluster, prove, read_bridge, render_text
from ovsnp.analysis.verification.counterexample import counterexample
from ovsnp.analysis.verification.proof_document import ReportedExample, document
from ovsnp.analysis.verification.proof_text import lines
from ovsnp.analysis.verification.simulator.walk import Simulator
from ovsnp.analysis.verification.why import why
from ovsnp.cli.options import Request, shared_options
from ovsnp.cli.planned import living_cluster
from ovsnp.cli.ports import choose_ports, tell_ports
from ovsnp.cli.terminal import Terminal
from ovsnp.document import document_text
from ovsnp.errors import Exit, UsageError
from ovsnp.model.bridge import BridgePorts
from ovsnp.model.cluster import Cluster
from ovsnp.model.options import Options


@click.command()
@click.option(
    "--flows",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Flows to verify: the output of compile, or of dump-flows and dump-groups.  [default: compile them now]",
)
@click.option("--live", is_flag=True, help="Verify the flows that are on the bridge.")
@click.option(
    "--most",
    type=click.IntRange(1),
    default=10,
    show_default=True,
    metavar="NUMBER",
    help="The greatest number of counterexamples to show.",
)
@shared_options
def verify(request: Request, *, flows: Path | None, live: bool, most: int) -> None:
    """Prove that flows do what the policies say, for every class of packets.

    A class has the packets that neither flows nor policies distinguish, so the proof is about all packets, not a
    sample. Exit code 1 means that the flows treat a packet otherwise than the policies say, or that a flow cannot be
    judged.
    """
    if flows and live:
        raise UsageError("--flows FILE and --live are two things to verify; choose one")
    cluster = living_cluster(request)
    gc.freeze()  # all objects stay to the end, and the collector would visit them again and again
    if not (cluster.pods or cluster.nodes):
        raise UsageError("the manifests have no pod and no node, so nothing is asked; name the whole cluster with -f")
    options = request.options(cluster)
    ports = choose_ports(request, cluster, options)
    tell_ports(request, cluster, options, ports)
    if live:
        _tell_missing(request, options.bridge, cluster, ports)
    try:
        bridge = read_bridge(_flow_lines(request, (cluster, ports, options), flows, live=live))
    except ValueError as error:
        raise UsageError(f"{flows or options.bridge}: {error}") from None
    if flows and not bridge.flows:
        raise UsageError(f"{flows}: holds no flows")
    with _progress(request) as tell:
        report = prove(bridge, cluster, ports, options, tell)
    simulator = Simulator(bridge.without_learned())
    examples = [counterexample(each, simulator, options.bridge) for each in report.findings[:most]]
    reported = [ReportedExample(each, why(each, cluster, options)) for each in examples]
    if request.output == "json":
        click.echo(document_text(document(report, reported, options.bridge, options.node)), nl=False)
    else:
        console = Terminal(no_color=request.no_color or None, highlight=False)
        for line in lines(report, reported):
            console.write(line)
    if report.findings:
        sys.exit(Exit.NO)


def _tell_missing(request: Request, bridge: str, cluster: Cluster, ports: BridgePorts) -> None:
    """Name the pods on the bridge that the input lacks."""
    from ovsnp.apply.guards import missing_pods  # noqa: PLC0415 -- python-ovs takes time to import

    if lacking := missing_pods(cluster, ports):
        request.tell(
            f"{bridge}: note: {lacking}; a flow that serves such a pod counts as a mistake; add all pods to the input"
            " (kubectl get pods -A -o json)"
        )


def _flow_lines(
    request: Request, compiled: tuple[Cluster, BridgePorts, Options], file: Path | None, *, live: bool
) -> Sequence[str]:
    if file:
        return file.read_text(encoding="utf-8").splitlines()
    if live:
        from ovsnp.switch.ofctl import dump_flows, dump_groups  # noqa: PLC0415 -- only --live asks Open vSwitch

        location, bridge = request.location, request.bridge
        return [*dump_flows(location, bridge), *dump_groups(location, bridge)]
    return render_text(compile_cluster(*compiled)).splitlines()


@contextmanager
def _progress(request: Request) -> Iterator[Callable[[str], None]]:
    """Yields a function that shows on stderr, if it is a terminal, what is being verified."""
    console = Console(stderr=True, no_color=request.no_color or None)
    if request.quiet or not console.is_terminal:
        yield lambda _: None
        return
    with Status("", console=console) as status:
        yield lambda what: status.update(f"verifying: {what}")
