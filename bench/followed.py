"""A stand-in for the API server in another process, and the times in which an agent here follows its changes."""

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

from bench.api_history import Change, History
from bench.api_server import ApiServer
from bench.inputs import NODE
from bench.served_objects import NETWORK_POLICY, POD, Kind, Objects
from ovsnp.agent.observer import AgentObserver
from ovsnp.kubernetes.events import ObjectChange, WatchEvent

PATIENCE = 600.0

Served = Mapping[Kind, Objects]


class Times(AgentObserver):
    """The milliseconds from the arrival of each change until its flows are confirmed."""

    def __init__(self) -> None:
        self.milliseconds: list[float] = []
        self.started = threading.Event()
        self._waiting: list[float] = []

    def received(self, event: WatchEvent) -> None:
        if isinstance(event, ObjectChange):
            self._waiting.append(event.received)

    def confirmed(self) -> None:
        now = time.monotonic()
        self.milliseconds += [(now - received) * 1000 for received in self._waiting]
        self._waiting.clear()
        self.started.set()


@contextmanager
def served(make: Callable[[], Served], directory: str) -> Iterator[Connection]:
    """A stand-in for the API server in another process, with the objects that ``make`` gives.

    It makes the changes that `sampled` sends, and there is a kubeconfig for it in the directory.
    """
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(make, directory, there), daemon=True)
    process.start()
    try:
        require(here.poll(PATIENCE))
        here.recv()
        yield here
    finally:
        process.kill()
        process.join()


def _serve(make: Callable[[], Served], directory: str, commands: Connection) -> None:
    with ApiServer(make()) as server:
        server.write_kubeconfig(Path(directory))
        commands.send("ready")
        while True:
            kind, count, rate = commands.recv()
            server.send(_changes(server, kind, count), rate)
            commands.send("done")


def _changes(server: ApiServer, kind: str, count: int) -> Iterator[Change]:
    """Pods of other nodes, or policies of namespaces with pods of node-0, that go and come again."""
    history = server.history
    if kind == "policy":
        here = {key.partition("/")[0] for key in _pods(history, here=True)}
        of, keys = NETWORK_POLICY, [key for key in history.keys(NETWORK_POLICY) if key.partition("/")[0] in here]
    else:
        of, keys = POD, _pods(history, here=False)
    # Only the chosen objects stay: a server that holds millions of dictionaries slows down what is measured.
    for item in [history.object(of, key) for key in random.Random(1).choices(keys, k=count // 2)]:
        yield Change("DELETED", item)
        yield Change("ADDED", item)


def _pods(history: History, *, here: bool) -> list[str]:
    """The keys of the pods of node-0, or of those of all other nodes."""
    return [key for key in history.keys(POD) if (history.object(POD, key)["spec"]["nodeName"] == NODE) == here]


def sampled(server: Connection, times: Times, kind: str, count: int, rate: float) -> Sequence[float]:
    """The milliseconds of each change."""
    times.milliseconds.clear()
    server.send((kind, count, rate))
    require(server.poll(PATIENCE))
    server.recv()
    until = time.monotonic() + PATIENCE
    while len(times.milliseconds) < count and time.monotonic() < until:
        time.sleep(0.01)
    return [*times.milliseconds]


def require(answered: bool) -> None:
    if not answered:
        raise TimeoutError(f"no answer within {PATIENCE:g} seconds")
