"""``ovsnp check``."""

import gc
import json
import sys

import click
from rich.console import Console

from ovsnp.check.document import document
from ovsnp.check.judging import Asked, ask, judge
from ovsnp.check.placed import Placed, place
from ovsnp.check.reading import read_expectations
from ovsnp.check.text import summary, text_lines, where
from ovsnp.cli.options import Request, shared_options
from ovsnp.errors import Exit, InputError, UsageError
from ovsnp.explain.reasons import Terms
from ovsnp.manifests.report import Report
from ovsnp.manifests.text.sources import STDIN
from ovsnp.model.cluster import Cluster


@click.command()
@click.argument("files", type=click.Path(), metavar="FILE...", nargs=-1, required=True)
@shared_options
def check(request: Request, *, files: tuple[str, ...]) -> None:
    """Hold the policies against expectations of who reaches whom; exit 1 where one is not met.

    FILE is a YAML list of entries such as {from: web-0, to: svc/db, port: 6379, expect: allowed}; from, to and port
    are as SRC, DST and PORT of ovsnp explain, or lists of these, and expect is allowed or denied. The answers come
    from the policies alone; no Open vSwitch is needed.
    """
    if STDIN in files and STDIN in request.manifests:
        raise UsageError("stdin cannot hold the manifests and the expectations; name a file for one of the two")
    cluster = request.cluster()
    gc.freeze()  # all of it stays to the end, and the collector would look at it again and again
    terms = Terms(request.strict_nodes, request.entry(cluster), request.service_blocks)
    placed = place(judge(cluster, _read(request, cluster, files), terms))
    if request.output == "json":
        click.echo(json.dumps(document(placed), indent=2))
    else:
        console = Console(no_color=request.no_color or None, highlight=False, soft_wrap=True)
        for line in text_lines(placed):
            console.print(line)
        _tell(request, placed)
    if not all(each.judged.met for each in placed):
        sys.exit(Exit.NO)


def _read(request: Request, cluster: Cluster, files: tuple[str, ...]) -> list[Asked]:
    """What the files ask; raises InputError with every mistake in them."""
    report = Report()
    expectations, diagnostics = read_expectations(files, report, sys.stdin.buffer)
    asked = ask(cluster, expectations, report, request.service_cidrs)
    diagnostics += report.diagnostics()
    if diagnostics:
        raise InputError(diagnostics)
    return asked


def _tell(request: Request, placed: list[Placed]) -> None:
    """What is not an answer, on stderr: each note once for its entry."""
    notes = [f"{where(span)}: note: {note}" for judged, span in placed for note in judged.asked.question.notes]
    for note in dict.fromkeys(notes):
        request.tell(note)
    request.tell(summary(placed))
