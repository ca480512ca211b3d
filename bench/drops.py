"""The cost of a flood of packets that a policy drops, with the drop log and without."""

import os
import queue
import subprocess
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from statistics import mean, median
from typing import NamedTuple
from unittest import mock

from bench import generate, traffic
from bench.api_objects import Object, identity
from bench.followed import PATIENCE, Served, Times, require, sampled, served
from bench.inputs import NODE, Inputs
from bench.process import processor_time, waiting_time
from bench.served_objects import KINDS, Kind, Objects, body, key_of
from bench.table import Cell, table
from bench.throughput import DATAPATHS
from ovsnp.agent.agent import Agent
from ovsnp.agent.traffic.drop_document import Drop, DropLine
from ovsnp.agent.traffic.drop_log import DropLog
from ovsnp.errors import OvsnpError
from ovsnp.kubernetes.configuration import find_api_server
from ovsnp.kubernetes.connection import ApiConnection
from ovsnp.lab import daemons, standing
from ovsnp.lab.datapath import DatapathType
from ovsnp.lab.journal import BASE_VARIABLE, Settings
from ovsnp.lab.own.planning import MOST_PODS, plan
from ovsnp.lab.runtime import NETNS, RUNTIMES
from ovsnp.lab.standing import BRIDGE, Lab
from ovsnp.manifests import load_objects
from ovsnp.model.options import Encap, Options
from ovsnp.switch.location import Location

SERVER_POD, CLIENTS = "default/server", ("default/client-1", "default/client-2")
SERVER, PORT = "10.1.0.10", 5432
FLOOD = 100_000
"""The packets that all clients together send in a second, if the machine can."""

CHANGES, RATE = 60, 20.0
"""The events of pods that are timed one by one in a round, and how many come in a second."""

REMOTE = 50
"""The pods of another node."""

HEAD = (
    "",
    "sent/s",
    "dropped/s",
    "ovs-vswitchd, % of a processor",
    "waits for one, %",
    "agent, % of a processor",
    "waits for one, %",
    "reported/s",
    "told as unreported/s",
    "pod event, median ms",
    "longest, ms",
)


class _Watched(Times):
    """Also counts what the drop log says: packets that the bridge reported, and packets that it did not report."""

    def __init__(self) -> None:
        super().__init__()
        self.reports = self.unreported = 0

    def drops_lost(self, count: int) -> None:
        self.unreported += count

    @contextmanager
    def following(self, drops: DropLog) -> Iterator[None]:
        """Count the lines of a drop log until the context ends."""
        with drops.follow() as lines:
            ended = threading.Event()
            thread = threading.Thread(target=self._count, args=(lines, ended))
            thread.start()
            try:
                yield
            finally:
                ended.set()
                thread.join()

    def _count(self, lines: "queue.Queue[DropLine]", ended: threading.Event) -> None:
        while not ended.is_set():
            with suppress(queue.Empty):
                line = lines.get(timeout=0.1)
                self.reports += line.count if isinstance(line, Drop) else 0


class _Reading(NamedTuple):
    """Counters at one moment: seconds, and numbers of packets.

    Of ovs-vswitchd and of this process the seconds of processor time, and those in which the thread that carries out
    changes was ready to run and had no processor.
    """

    time: float
    switch: float
    switch_waits: float
    agent: float
    agent_waits: float
    dropped: int
    reported: int
    unreported: int


class _Round(NamedTuple):
    """What one case was in one round: the packets sent in a second, the counters, and the delay of each event in ms."""

    sent: int
    before: _Reading
    after: _Reading
    delays: Sequence[float]

    def rates(self) -> Iterator[float]:
        """The counters in a second, in the order of `_Reading`."""
        seconds = self.after.time - self.before.time
        yield from ((after - before) / seconds for before, after in zip(self.before[1:], self.after[1:], strict=True))


def measure(inputs: Inputs) -> Iterator[str]:
    """Agents without the drop log and with it in turns, each without a flood and with one."""
    yield "## A flood of dropped packets"
    try:
        RUNTIMES[NETNS].check_machine(inputs.datapath)
    except OvsnpError as error:
        yield f"Left out: {error}."
        return
    yield (
        f"A lab of one node, {DATAPATHS[inputs.datapath]}: {len(CLIENTS)} pods send UDP packets to a pod that a policy"
        f" isolates, {FLOOD:,} in a second together if the machine can. Meanwhile {CHANGES} events of pods of another"
        f" node, which the policy admits, {RATE:g} in a second: from the arrival of an event until Open vSwitch has"
        f" confirmed the flows. All cases in turns, {inputs.runs} times: means, and the delays of all events."
        " Senders, ovs-vswitchd, the agent and a stand-in for the API server share this machine's processors; a process"
        " waits while its main thread is ready to run and another has the processor."
    )
    cases: defaultdict[str, list[_Round]] = defaultdict(list)
    with ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="ovsnp-bench-", dir="/tmp"))
        stack.enter_context(mock.patch.dict(os.environ, {BASE_VARIABLE: f"{directory}/labs"}))
        lab = stack.enter_context(_lab(f"bench{os.getpid()}", inputs.datapath))
        for log_drops in (False, True) * inputs.runs:
            for case, taken in _rounds(lab, directory, log_drops=log_drops):
                cases[case].append(taken)
    yield table(HEAD, [_row(case, rounds) for case, rounds in cases.items()])


def _rounds(lab: Lab, directory: str, *, log_drops: bool) -> Iterator[tuple[str, _Round]]:
    watched = _Watched()
    switch = _switch(lab)
    with served(_served, directory) as server:
        connection = ApiConnection(find_api_server(Path(directory) / "kubeconfig", None))
        options = Options(BRIDGE, NODE, log_drops=log_drops)
        agent = Agent(connection, Location(daemons.database_socket(switch), str(switch)), options, observer=watched)
        thread = threading.Thread(target=agent.run)
        thread.start()
        try:
            require(watched.started.wait(PATIENCE))
            require(not log_drops or agent.drops.connected.wait(PATIENCE))
            with watched.following(agent.drops):
                for flood in (0, FLOOD):
                    with _flood(lab, flood) as sent:
                        before = _read(agent, watched, switch, thread)
                        delays = sampled(server, watched, "pod", CHANGES, RATE)
                        after = _read(agent, watched, switch, thread)
                    case = f"{'--log-drops' if log_drops else 'no drop log'}, {'flood' if flood else 'quiet'}"
                    yield case, _Round(sum(sent), before, after, delays)
        finally:
            agent.stop()
            thread.join()


def _read(agent: Agent, watched: _Watched, switch: Path, loop: threading.Thread) -> _Reading:
    dropped = sum(each.packets for each in agent.counts.read().dropped)
    daemon = int((switch / "ovs-vswitchd.pid").read_text(encoding="utf-8"))
    return _Reading(
        time.monotonic(),
        processor_time(daemon),
        waiting_time(daemon, daemon),
        time.process_time(),
        waiting_time(os.getpid(), loop.native_id or 0),
        dropped,
        watched.reports,
        watched.unreported,
    )


def _row(case: str, rounds: Sequence[_Round]) -> tuple[Cell, ...]:
    """The means of all rounds: times in percent, packets in a second; and the delays of all rounds."""
    *shares, dropped, reported, unreported = map(mean, zip(*(each.rates() for each in rounds), strict=True))
    delays = [delay for each in rounds for delay in each.delays]
    return (
        case,
        round(mean(each.sent for each in rounds)),
        round(dropped),
        *(share * 100 for share in shares),
        round(reported),
        round(unreported),
        median(delays),
        max(delays),
    )


@contextmanager
def _flood(lab: Lab, rate: int) -> Iterator[list[int]]:
    """Have the clients send during the context; the list has the packets of each client in a second afterwards."""
    share = str(rate // len(CLIENTS))
    runtime, sent = lab.runtime, list[int]()
    with ExitStack() as stack:
        senders = []
        for node in lab.topology.nodes if rate else ():
            if node.pod in CLIENTS:
                agent = [runtime.python(node.name), "-I", "-S", traffic.__file__, "flood", SERVER, str(PORT), share]
                command = runtime.command(node.name, agent)
                sender = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
                senders.append(stack.enter_context(sender))
                if sender.stdout:
                    sender.stdout.readline()  # it sends now
        yield sent
        sent += [round(float(sender.communicate()[0])) for sender in senders]


@contextmanager
def _lab(name: str, datapath: DatapathType) -> Iterator[Lab]:
    """A lab of node-0 with its pods and the policy."""
    settings = Settings(name, NETNS, "", Encap.GENEVE, datapath=datapath)
    lab = standing.up(settings, lambda _: None, plan(load_objects(_objects(0)), MOST_PODS))
    try:
        yield lab
    finally:
        standing.down(name)


def _switch(lab: Lab) -> Path:
    """The directory of the Open vSwitch of the only node."""
    ((_, container),) = lab.nodes
    return lab.directory.ovs_directory(container)


def _served() -> Served:
    """The objects of the lab, and a node with pods that the policy admits."""
    found: dict[Kind, Objects] = {kind: {} for kind in KINDS}
    for item in _objects(REMOTE):
        kind = next(kind for kind in KINDS if kind.name == item["kind"])
        key = key_of(item)
        found[kind][key] = body(item | {"metadata": item["metadata"] | identity(kind.name, key)})
    return found


def _objects(remote: int) -> Iterator[Object]:
    """The cluster, with so many pods on another node; without that node if there are none."""
    yield generate.namespace("default", minimal=True)
    yield from (generate.node(index, minimal=True) for index in range(2 if remote else 1))
    yield _pod(SERVER_POD, 0, SERVER, "server")
    yield from (_pod(key, 0, f"{SERVER[:-1]}{number}", "client") for number, key in enumerate(CLIENTS, 1))
    yield from (_pod(f"default/remote-{number}", 1, f"10.1.1.{number + 10}", "admitted") for number in range(remote))
    rule = {"from": [{"podSelector": {"matchLabels": {"role": "admitted"}}}]}
    spec = {"podSelector": {"matchLabels": {"role": "server"}}, "ingress": [rule]}
    yield generate.policy("default", "to-server", spec, minimal=True)


def _pod(key: str, node: int, address: str, role: str) -> Object:
    namespace, _, name = key.partition("/")
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": {"role": role}},
        "spec": {"nodeName": f"node-{node}", "containers": [{"name": "main"}]},
        "status": {"phase": "Running", "podIPs": [{"ip": address}]},
    }
