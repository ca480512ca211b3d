"""``ovsnp agent``."""

import logging
import signal
import socket
from typing import Any

import click
import msgspec

from ovsnp.agent.agent import Agent
from ovsnp.cli.options import Request, shared_options
from ovsnp.kubernetes.configuration import find_api_server
from ovsnp.kubernetes.connection import ApiConnection


@click.command()
@shared_options
def agent(request: Request) -> None:
    """Follow a cluster, and keep the bridge of this node as the policies say."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    options = msgspec.structs.replace(request.choices, node=request.node or socket.gethostname())
    server = find_api_server(request.kubeconfig, request.context)
    running = Agent(ApiConnection(server), request.location, options)

    def end(*_: Any) -> None:
        running.stop()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    running.run()
