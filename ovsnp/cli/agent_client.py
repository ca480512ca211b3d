"""The options of the commands that ask the agent of this node."""

from pathlib import Path

import click

from ovsnp.agent.serving.control_client import DEFAULT_SOCKET

socket_option = click.option(
    "--socket",
    "control_socket",
    type=click.Path(path_type=Path),
    default=DEFAULT_SOCKET,
    show_default=True,
    metavar="PATH",
    help="The control socket of the agent.",
)


def require_pod_name(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """NAMESPACE/NAME of a pod as it is written; a name alone is of the namespace default."""
    return value if value is None or "/" in value else f"default/{value}"


pod_argument = click.argument("pod", required=False, metavar="[POD]", callback=require_pod_name)
"""Ends of connections, as NAMESPACE/NAME."""
