"""``ovsnp check``."""

import gc
import sys
from pathlib import Path

import click

from ovsnp import read_bridge
from ovsnp.analysis.check.check_document import document
from ovsnp.analysis.check.check_text import summary, text_lines, unasked, where
from ovsnp.analysis.check.flows import BridgeFlows
from ovsnp.analysis.check.judging import JudgedExpectation, ask, judge
from ovsnp.analysis.check.placed import Placed, place
from ovsnp.analysis.check.reading import read_expectations
from ovsnp.analysis.naming.roster import Roster
from ovsnp.cli.options import Request, shared_options
from ovsnp.cli.planned import living_cluster
from ovsnp.cli.ports import choose_ports, tell_ports
from ovsnp.cli.terminal import Terminal
from ovsnp.document import document_text
from ovsnp.errors import Exit, InputError, UsageError
from ovsnp.model.cluster import Cluster
from ovsnp.oracle.planned import readings
from ovsnp.oracle.terms import Terms
from ovsnp.yaml_reader.report import MistakeReport
from ovsnp.yaml_reader.sources import STDIN


@click.command()
@click.argument("files", type=click.Path(readable=False), metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--flows",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Flows of the node to check too: the output of compile, or of dump-flows and dump-groups.",
)
@shared_options
def check(request: Request, *, files: tuple[str, ...], flows: Path | None) -> None:
    """Compare the policies with expectations of who reaches whom; exit with 1 if one is not met.

    FILE is a YAML list of entries such as {from: web-0, to: svc/db, port: 6379, expect: allowed}. The fields from, to
    and port take what ovsnp explain takes as SRC, DST and PORT, or lists of these; expect is allowed or denied. The
    answers come from the policies alone; no Open vSwitch is needed. With --flows, the flows of --node are checked too:
    each connection that they decide about must pass them, or be dropped by them.
    """
    if STDIN in files and STDIN in request.manifests:
        raise UsageError("stdin cannot hold the manifests and the expectations; name a file for one of the two")
    # Flows exist only for pods with an address; without --flows, pods that have no address yet take part too.
    read = readings(living_cluster(request) if flows else request.cluster())
    cluster = read.certain
    gc.freeze()  # all objects stay to the end, and the collector would visit them again and again
    terms = Terms(request.strict_nodes, request.service_blocks, request.entry(cluster))
    asked = _read(request, cluster, files)
    bridge_flows = _bridge_flows(request, cluster, flows) if flows else None
    placed = place(judge(read, asked, terms, bridge_flows))
    if request.output == "json":
        click.echo(document_text(document(placed)), nl=False)
    else:
        console = Terminal(no_color=request.no_color or None, highlight=False, soft_wrap=True)
        for line in text_lines(placed):
            console.write(line)
        _tell(request, placed)
    if not all(each.judged.met for each in placed):
        sys.exit(Exit.NO)


def _read(request: Request, cluster: Cluster, files: tuple[str, ...]) -> list[JudgedExpectation]:
    """The questions in the files; raises InputError with all mistakes in them."""
    report = MistakeReport()
    expectations, diagnostics = read_expectations(files, report)
    asked = ask(Roster(cluster, request.service_cidrs, strict_nodes=request.strict_nodes), expectations, report)
    diagnostics += report.diagnostics()
    if diagnostics:
        raise InputError(diagnostics)
    return asked


def _bridge_flows(request: Request, cluster: Cluster, file: Path) -> BridgeFlows:
    """The flows in a file, for the named node; raises UsageError if the file has none."""
    options = request.options(cluster)
    ports = choose_ports(request, cluster, options)
    tell_ports(request, cluster, options, ports)
    try:
        bridge = read_bridge(file.read_text(encoding="utf-8").splitlines())
    except ValueError as error:
        raise UsageError(f"{file}: {error}") from None
    if not bridge.flows:
        raise UsageError(f"{file}: holds no flows; write them with ovsnp compile, or ovs-ofctl dump-flows")
    return BridgeFlows(bridge, cluster, ports, options)


def _tell(request: Request, placed: list[Placed]) -> None:
    """Write notes and the summary to stderr: each note once for its entry."""
    notes = [f"{where(span)}: note: {note}" for judged, span in placed for note in judged.asked.question.notes]
    for note in dict.fromkeys(notes):
        request.tell(note)
    if sentence := unasked(placed):
        request.tell(sentence)
    request.tell(summary(placed))
