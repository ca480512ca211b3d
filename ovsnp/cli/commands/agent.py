"""``ovsnp agent``."""

import logging
import signal
import socket
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
import msgspec

from ovsnp.agent.agent import Agent
from ovsnp.agent.http_server import serving_address, serving_socket
from ovsnp.agent.routes import control_routes, probe_routes
from ovsnp.cli.options import Request, shared_options
from ovsnp.kubernetes.configuration import find_api_server
from ovsnp.kubernetes.connection import ApiConnection
from ovsnp.switch.lock import kept_by_agent


@click.command()
@click.option(
    "--socket",
    "control_socket",
    type=click.Path(path_type=Path),
    default="/run/ovsnp/agent.sock",
    show_default=True,
    metavar="PATH",
    help="The control socket: HTTP with /status, /flows, /healthz and /readyz.",
)
@click.option(
    "--metrics-address",
    metavar="ADDRESS:PORT",
    help="Answer /healthz and /readyz over TCP too, for the probes of a kubelet.",
)
@shared_options
def agent(request: Request, *, control_socket: Path, metrics_address: str | None) -> None:
    """Follow a cluster, and keep the bridge of this node as the policies say."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    options = msgspec.structs.replace(request.choices, node=request.node or socket.gethostname())
    server = find_api_server(request.kubeconfig, request.context)
    running = Agent(ApiConnection(server), request.location, options)

    def end(*_: Any) -> None:
        running.stop()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    with ExitStack() as stack:
        stack.enter_context(kept_by_agent(request.location, options.bridge))
        stack.enter_context(serving_socket(control_socket, control_routes(running)))
        if metrics_address:
            stack.enter_context(serving_address(metrics_address, probe_routes(running)))
        running.run()
