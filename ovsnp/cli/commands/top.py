"""``ovsnp top``."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click

from ovsnp.agent.serving.control_client import ask
from ovsnp.agent.traffic.flow_counts import CountsDocument
from ovsnp.agent.traffic.rates import RatesDocument, rates
from ovsnp.cli.agent_client import socket_option
from ovsnp.cli.options import OUTPUTS
from ovsnp.document import document_text
from ovsnp.visible_text import visible

_CLEAR = "\x1b[H\x1b[2J"


@click.command()
@click.option("--by", type=click.Choice(("rule", "pod")), help="Only rules that admit, or only pods with drops.")
@click.option(
    "--interval",
    type=click.FloatRange(0.1, 3600),
    default=2.0,
    show_default=True,
    metavar="SECONDS",
    help="The time between two readings.",
)
@click.option("-o", "--output", type=click.Choice(OUTPUTS), default="text", show_default=True)
@socket_option
def top(*, by: str | None, interval: float, output: str, control_socket: Path) -> None:
    """Connections admitted by rule and packets dropped by pod, per second.

    On a terminal top goes on until interrupted; elsewhere, and with -o json, it prints one sample. Rules admit the
    packets of a connection until the first answer: one packet, if nothing is sent again.
    """
    before = ask(control_socket, "/counts", CountsDocument)
    goes_on = output == "text" and sys.stdout.isatty()
    while True:
        time.sleep(interval)
        after = ask(control_socket, "/counts", CountsDocument)
        sample = rates(before, after)
        if output == "json":
            click.echo(document_text(sample), nl=False)
        else:
            click.echo((_CLEAR if goes_on else "") + "\n".join(map(visible, _lines(sample, by))))
        if not goes_on:
            return
        before = after


def _lines(sample: RatesDocument, by: str | None) -> Iterator[str]:
    if by != "pod":
        yield "PACKETS/S  ADMITTED BY"
        yield from (f"{each.per_second:9.1f}  {each.rule}" for each in sample.admitted)
    if by is None:
        yield ""
    if by != "rule":
        yield "PACKETS/S  DROPPED"
        yield from (f"{each.per_second:9.1f}  {each.direction} of {', '.join(each.pods)}" for each in sample.dropped)
