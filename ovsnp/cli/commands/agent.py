"""``ovsnp agent``."""

import logging
import signal
import socket
from typing import Any

import click
import msgspec

from ovsnp.agent.agent import Agent
from ovsnp.cli.options import Request, established_option, shared_options
from ovsnp.kubernetes.configuration import find_api_server
from ovsnp.kubernetes.connection import ApiConnection
from ovsnp.model.options import Established


@click.command()
@click.option("--kubeconfig", metavar="FILE", help="The kubeconfig; by default as kubectl finds it.")
@established_option
@shared_options
def agent(request: Request, *, kubeconfig: str | None, established: Established) -> None:
    """Follow a cluster, and keep the bridge of this node as the policies say."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    options = msgspec.structs.replace(request.choices, node=request.node or socket.gethostname())
    running = Agent(ApiConnection(find_api_server(kubeconfig, None)), request.location, options, established)

    def end(*_: Any) -> None:
        running.stop()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    running.run()
