"""``ovsnp diff``."""

import json
import sys
from collections.abc import Iterable

import click
from rich.console import Console
from rich.text import Text

from ovsnp.cli.options import Request, shared_options, tell_left_out
from ovsnp.errors import Exit, UsageError

_STYLES = {"-": "red", "+": "green", "@": "cyan", "=": "bold"}


@click.command()
@shared_options
def diff(request: Request) -> None:
    """Show what apply would change on the bridge, as a unified diff of flows; nothing is changed.

    Exits with 1 where there are differences.
    """
    if request.ports:
        raise UsageError("--ports is for compile; diff reads the ports of the bridge that apply would change")
    sys.exit(_diff_flows(request))


def _diff_flows(request: Request) -> Exit:
    from ovsnp.apply import preview  # noqa: PLC0415 -- python-ovs takes time to import
    from ovsnp.diff.flows import differences  # noqa: PLC0415
    from ovsnp.diff.flows.document import document  # noqa: PLC0415
    from ovsnp.diff.flows.text import text_lines  # noqa: PLC0415

    cluster = request.cluster()
    options = request.options(cluster)
    seen = preview(request.location, cluster, options)
    found = differences(seen, cluster)
    if request.output == "json":
        click.echo(json.dumps(document(options, found, seen.without_port), indent=2))
    else:
        _print(request, text_lines(options.bridge, found))
    tell_left_out(request, seen.without_port)
    return Exit.NO if found else Exit.DONE


def _print(request: Request, lines: Iterable[tuple[str, str]]) -> None:
    """Write lines in the colour of their kind."""
    console = Console(no_color=request.no_color or None, highlight=False, soft_wrap=True)
    for kind, text in lines:
        console.print(Text(text, style=_STYLES.get(kind, "")))
