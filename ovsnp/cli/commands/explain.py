"""``ovsnp explain``."""

import gc
import sys
from collections.abc import Iterable, Sequence

import click
import msgspec
from rich.text import Text

from ovsnp.analysis.explain.answers import answer
from ovsnp.analysis.explain.explanation_document import document
from ovsnp.analysis.explain.explanation_text import lines
from ovsnp.analysis.explain.one_pod.one_pod import one_pod
from ovsnp.analysis.explain.one_pod.one_pod_document import one_pod_document
from ovsnp.analysis.explain.one_pod.one_pod_text import one_pod_lines
from ovsnp.analysis.explain.openings.openings import openings
from ovsnp.analysis.explain.openings.openings_document import openings_document
from ovsnp.analysis.explain.openings.openings_text import opening_lines
from ovsnp.analysis.explain.reasons import Outcome, outcome
from ovsnp.analysis.naming.ends import ClusterIPEnd
from ovsnp.analysis.naming.questions import Written, read_pairs
from ovsnp.analysis.naming.roster import Roster
from ovsnp.analysis.wording.places import Places
from ovsnp.cli.candidates import destinations, sources
from ovsnp.cli.options import Request, shared_options
from ovsnp.cli.plain import tell
from ovsnp.cli.planned import planned_clusters
from ovsnp.cli.questions import QuestionCommand, family_options
from ovsnp.cli.terminal import Terminal
from ovsnp.document import document_text
from ovsnp.errors import Exit, UsageError
from ovsnp.model.address import family
from ovsnp.oracle.terms import Terms


@click.command(cls=QuestionCommand)
@click.argument("source", metavar="SRC", shell_complete=sources)
@click.argument("destination", metavar="[DST]", required=False, shell_complete=destinations)
@click.argument("port", metavar="[PORT]", required=False)
@click.option(
    "--expect", type=click.Choice(["allowed", "denied"]), help="Exit with 1 unless all connections have this outcome."
)
@family_options
@shared_options
def explain(
    request: Request,
    *,
    source: str,
    destination: str | None,
    port: str | None,
    expect: str | None,
    version: int | None,
) -> None:
    """Say whether SRC may connect to DST, and which rules decide; with SRC alone, all about one pod.

    SRC and DST are NAMESPACE/POD, POD (namespace default), KIND/NAMESPACE/NAME or NAMESPACE/NAME of a workload,
    NAMESPACE/KEY=VALUE (a label selector), node/NAME, an address or a row of ovsnp matrix; DST may also be
    svc/NAMESPACE/NAME. PORT is 6379 (TCP), 53/udp, 9899/sctp, the name of a port, or icmp (traffic without ports);
    without PORT, the answer is which ports are allowed and which are not. If SRC or DST names several pods, each pod
    gets an answer. SRC alone is a pod: the answer is which policies isolate the pod, whom their rules admit, who
    reaches the pod and whom it reaches. The answers come from the policies alone; no Open vSwitch is needed.
    """
    (cluster,) = planned_clusters(request, request.cluster())
    gc.freeze()  # all objects stay to the end, and the collector would visit them again and again
    terms = Terms(request.strict_nodes, request.service_blocks, request.entry(cluster))
    roster = Roster(cluster, request.service_cidrs, strict_nodes=request.strict_nodes)
    if destination is None:
        if expect:
            raise UsageError("--expect is about a connection; name DST too")
        _one_pod(request, roster, source, version)
        return
    written = Written(source, destination, port, version)
    ask = _at_every_port if port is None else _at_a_port
    decided = ask(request, roster, written, terms)
    if expect and decided != expect:
        tell(f"ovsnp: expected {expect}, but it is {decided}")
        sys.exit(Exit.NO)


def _one_pod(request: Request, roster: Roster, text: str, version: int | None) -> None:
    pod, *others = roster.pods(text)
    if others:
        raise UsageError(f"{text} is {1 + len(others)} pods; name one of them, such as {pod.key}")
    if version and version not in map(family, pod.addresses):
        raise UsageError(f"{pod.key} has no IPv{version} address")
    answer = one_pod(roster.cluster, pod, version=version, strict_nodes=request.strict_nodes)
    _tell(request, one_pod_lines(answer, Places()), one_pod_document(answer, Places()), ())


def _at_a_port(request: Request, roster: Roster, written: Written, terms: Terms) -> Outcome:
    """Print the outcome of each connection that is asked about."""
    found = answer(roster, written, terms)
    told = found.question, found.explanations, Places()
    _tell(request, lines(*told), document(*told), found.question.notes)
    return found.outcome


def _at_every_port(request: Request, roster: Roster, written: Written, terms: Terms) -> Outcome:
    """Print which ports are allowed and which are not; for a Service, the outcome at each of its ports."""
    pairs = read_pairs(roster, written)
    if any(isinstance(far, ClusterIPEnd) and far.service for _, far in pairs.pairs):
        return _at_a_port(request, roster, written, terms)
    found = openings(roster.cluster, pairs.pairs, strict_nodes=terms.strict_nodes)
    places = Places()
    _tell(request, opening_lines(pairs, found, places), openings_document(pairs, found, places), pairs.notes)
    return outcome([each.ranges.outcome for each in found])


def _tell(request: Request, text: Iterable[Text], document: msgspec.Struct, notes: Sequence[str]) -> None:
    if request.output == "json":
        click.echo(document_text(document), nl=False)
        return
    console = Terminal(no_color=request.no_color or None, highlight=False)
    for line in text:
        console.write(line)
    for note in notes:
        request.tell(f"note: {note}")
