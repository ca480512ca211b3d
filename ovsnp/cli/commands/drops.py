"""``ovsnp drops``."""

from pathlib import Path

import click
import msgspec

from ovsnp.agent.serving.control_client import ask_lines
from ovsnp.agent.traffic.drop_document import DropLine
from ovsnp.cli.agent_client import pod_argument, socket_option
from ovsnp.cli.options import OUTPUTS
from ovsnp.cli.plain import say


@click.command()
@pod_argument
@click.option("--follow", is_flag=True, help="Show the drops that come from now on, until interrupted.")
@click.option("-o", "--output", type=click.Choice(OUTPUTS), default="text", show_default=True)
@socket_option
def drops(*, pod: str | None, follow: bool, output: str, control_socket: Path) -> None:
    """Packets that policies drop on this node, with both ends and the policies that isolate.

    The agent must run with --log-drops. It keeps the last thousand lines. A line stands for equal drops within a
    second. With POD (NAMESPACE/NAME) only drops with this end. -o json prints a document in each line.
    """
    read = msgspec.json.Decoder(DropLine).decode
    for line in ask_lines(control_socket, "/drops/follow" if follow else "/drops", read):
        if pod is None or line.concerns(pod):
            say(msgspec.json.encode(line).decode() if output == "json" else str(line))
