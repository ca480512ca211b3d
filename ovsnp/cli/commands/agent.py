"""``ovsnp agent``."""

import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import click
import msgspec

from ovsnp.agent.agent import Agent
from ovsnp.agent.publishing.publisher import Publisher
from ovsnp.agent.serving.http_server import serving_address, serving_socket
from ovsnp.agent.serving.metrics import AgentMetrics
from ovsnp.agent.serving.policy_metrics import PolicyCollector
from ovsnp.agent.serving.routes import control_routes, probe_routes
from ovsnp.cli.agent_options import agent_options
from ovsnp.cli.log_lines import JsonLines, TextLines
from ovsnp.cli.options import Request, established_option
from ovsnp.errors import OvsnpError
from ovsnp.kubernetes.configuration import find_api_server
from ovsnp.kubernetes.connection import ApiConnection
from ovsnp.model.options import Established
from ovsnp.switch.lock import sole_agent

_PATIENCE = 10.0
"""The seconds that the API server may take for a write: at its end, an agent does not wait long."""

log = logging.getLogger("ovsnp.agent")


@click.command()
@click.option(
    "--socket",
    "control_socket",
    type=click.Path(path_type=Path),
    default="/run/ovsnp/agent.sock",
    show_default=True,
    metavar="PATH",
    help="The control socket: HTTP with /status, /flows, /metrics, /healthz and /readyz.",
)
@click.option(
    "--metrics-address",
    metavar="ADDRESS:PORT",
    help="Answer /metrics, /healthz and /readyz over TCP too, for Prometheus and the probes of a kubelet.",
)
@click.option(
    "--policy-metrics",
    is_flag=True,
    help="Count packets by policy, too: the labels of these metrics have the names of policies and namespaces.",
)
@click.option("--log-format", type=click.Choice(("text", "json")), default="text", help="The format of the log.")
@established_option
@agent_options
def agent(
    request: Request,
    *,
    control_socket: Path,
    metrics_address: str | None,
    policy_metrics: bool,
    log_format: str,
    established: Established,
) -> None:
    """Follow a cluster, and keep the bridge of a node as the policies say.

    The agent watches the API server, and carries out every change as one transaction on the bridge. It runs in the
    foreground and logs to stderr. SIGTERM ends it; the flows stay. SIGHUP makes it read the configuration and the
    kubeconfig again. --node is the node of this bridge, by default the node with the name of this host.
    """
    _log_as(log_format)
    options = msgspec.structs.replace(request.choices, node=request.node or socket.gethostname())
    server = find_api_server(request.kubeconfig, request.context)
    metrics = AgentMetrics()
    running = Agent(ApiConnection(server), request.location, options, established, metrics)
    if policy_metrics:
        metrics.add(PolicyCollector(running.policy_counts.read))

    with _heeding_signals(running) as again:
        with ExitStack() as stack:
            stack.enter_context(sole_agent(request.location, options.bridge))
            stack.enter_context(serving_socket(control_socket, control_routes(running, metrics)))
            if metrics_address:
                stack.enter_context(serving_address(metrics_address, probe_routes(running, metrics)))
            separate = ApiConnection(server, read_timeout=_PATIENCE)
            publisher = stack.enter_context(Publisher(running, separate, request.location))
            running.run()
            if not again.is_set():
                publisher.announce_end()
        if again.is_set():
            # A new process reads everything again, a new version of ovsnp included; the flows stay meanwhile. A SIGHUP
            # would end it before it has its handlers, so one that comes waits for them (exec keeps the mask).
            signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGHUP,))
            os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


@contextmanager
def _heeding_signals(running: Agent) -> Iterator[threading.Event]:
    """Let signals stop the agent; the event says that it shall begin again with what it reads then."""
    context, again = click.get_current_context(), threading.Event()

    def end(*_: Any) -> None:
        running.stop()

    def read_again(*_: Any) -> None:
        if _is_usable(context):
            again.set()
            running.stop()

    handlers = {signal.SIGTERM: end, signal.SIGINT: end, signal.SIGHUP: read_again}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGHUP,))
    try:
        yield again
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _log_as(log_format: str) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if log_format == "json" else TextLines("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])


def _is_usable(context: click.Context) -> bool:
    """True if the configuration can be read with the options of the command line; logs its mistakes."""
    try:
        context.command.make_context(context.info_name, sys.argv[2:], context.parent)
    except (OvsnpError, click.ClickException) as error:
        said = error.format_message() if isinstance(error, click.ClickException) else error
        log.error("the configuration is not read again, as it has mistakes: %s", said)
        return False
    return True
