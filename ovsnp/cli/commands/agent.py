"""``ovsnp agent``."""

import json
import logging
import os
import signal
import socket
import sys
import threading
from datetime import UTC, datetime
from typing import Any

import click
import msgspec

from ovsnp.agent.agent import Agent
from ovsnp.cli.agent_options import agent_options
from ovsnp.cli.options import Request
from ovsnp.errors import OvsnpError
from ovsnp.kubernetes.configuration import find_api_server
from ovsnp.kubernetes.connection import ApiConnection

log = logging.getLogger("ovsnp.agent")


@click.command()
@click.option("--log-format", type=click.Choice(("text", "json")), default="text", help="The format of the log.")
@agent_options
def agent(request: Request, *, log_format: str) -> None:
    """Follow a cluster, and keep the bridge of a node as the policies say.

    The agent watches the API server, and carries out every change as one transaction on the bridge. It runs in the
    foreground and logs to stderr. SIGTERM ends it; the flows stay. SIGHUP makes it
    read the configuration and the kubeconfig again. --node is the node of this bridge, by default the
    node with the name of this host.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(_JsonLines() if log_format == "json" else _TextLines("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    options = msgspec.structs.replace(request.choices, node=request.node or socket.gethostname())
    running = Agent(ApiConnection(find_api_server(request.kubeconfig, request.context)), request.location, options)

    def end(*_: Any) -> None:
        running.stop()

    context, again = click.get_current_context(), threading.Event()

    def read_again(*_: Any) -> None:
        if _is_usable(context):
            again.set()
            running.stop()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGHUP, read_again)
    running.run()
    if again.is_set():
        # A new process reads everything again, a new version of ovsnp included; the flows stay meanwhile.
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def _is_usable(context: click.Context) -> bool:
    """True if the configuration can be read with the options of the command line; logs its mistakes."""
    try:
        context.command.make_context(context.info_name, sys.argv[2:], context.parent)
    except (OvsnpError, click.ClickException) as error:
        said = error.format_message() if isinstance(error, click.ClickException) else error
        log.error("the configuration is not read again, as it has mistakes: %s", said)
        return False
    return True


class _TextLines(logging.Formatter):
    """A line of text for each event; times are UTC, as in RFC 3339."""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 -- as in logging
        """The time of an event."""
        del datefmt
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class _JsonLines(_TextLines):
    """A line of JSON for each event."""

    def format(self, record: logging.LogRecord) -> str:
        """The time, level and message of an event."""
        event = {"time": self.formatTime(record), "level": record.levelname.lower(), "message": record.getMessage()}
        return json.dumps(event)
