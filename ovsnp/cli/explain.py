"""``ovsnp explain``."""

import gc
import json
import sys

import click

from ovsnp.cli.candidates import destinations, sources
from ovsnp.cli.options import Request, shared_options
from ovsnp.cli.planned import planned_clusters
from ovsnp.cli.questions import Question, family_options
from ovsnp.cli.terminal import Terminal
from ovsnp.errors import Exit
from ovsnp.explain.document import document
from ovsnp.explain.places import Places
from ovsnp.explain.questions import Written, read_question
from ovsnp.explain.reasons import Terms, outcome
from ovsnp.explain.reasons import explain as explained
from ovsnp.explain.text import lines


@click.command(cls=Question)
@click.argument("source", metavar="SRC", shell_complete=sources)
@click.argument("destination", metavar="DST", shell_complete=destinations)
@click.argument("port", metavar="[PORT]", required=False)
@click.option(
    "--expect", type=click.Choice(["allowed", "denied"]), help="Exit with 1 unless every connection asked about is so."
)
@family_options
@shared_options
def explain(
    request: Request, *, source: str, destination: str, port: str | None, expect: str | None, version: int | None
) -> None:
    """Say whether SRC may connect to DST, and which rules decide.

    SRC and DST are NAMESPACE/POD, POD (namespace default), node/NAME or an address, DST also svc/NAMESPACE/NAME. PORT
    is 6379 (TCP), 53/udp, 9899/sctp, a port's name or icmp (what has no ports); without it, icmp, or all ports of a
    Service.
    The answer comes from the policies alone; no Open vSwitch is needed.
    """
    (cluster,) = planned_clusters(request, request.cluster())
    gc.freeze()  # all of it stays to the end, and the collector would look at it again and again
    entry = request.entry(cluster)
    question = read_question(cluster, Written(source, destination, port, version), request.service_cidrs)
    terms = Terms(request.strict_nodes, entry, request.service_blocks)
    answers = [explained(cluster, connection, terms) for connection in question.connections]
    if request.output == "json":
        click.echo(json.dumps(document(question, answers, Places()), indent=2))
    else:
        console = Terminal(no_color=request.no_color or None, highlight=False)
        for line in lines(question, answers, Places()):
            console.print(line, soft_wrap=True)
        for note in question.notes:
            request.tell(f"note: {note}")
    decided = outcome([answer.outcome for answer in answers])
    if expect and decided != expect:
        click.echo(f"ovsnp: expected {expect}, but it is {decided}", err=True)
        sys.exit(Exit.NO)
