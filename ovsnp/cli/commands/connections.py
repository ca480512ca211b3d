"""``ovsnp connections``."""

from pathlib import Path

import click

from ovsnp.agent.serving.control_client import ask
from ovsnp.agent.traffic.live_connections import ConnectionsDocument
from ovsnp.cli.agent_client import pod_argument, socket_option
from ovsnp.cli.options import OUTPUTS
from ovsnp.cli.plain import say
from ovsnp.document import document_text


@click.command()
@pod_argument
@click.option("-o", "--output", type=click.Choice(OUTPUTS), default="text", show_default=True)
@socket_option
def connections(*, pod: str | None, output: str, control_socket: Path) -> None:
    """Live connections of this node, with the rules that admitted them.

    With POD (NAMESPACE/NAME) only connections with this end.
    """
    found = ask(control_socket, "/connections", ConnectionsDocument).connections
    wanted = [each for each in found if pod is None or pod in (each.source.pod, each.destination.pod)]
    if output == "json":
        click.echo(document_text(ConnectionsDocument(wanted)), nl=False)
        return
    for each in wanted:
        say(str(each))
