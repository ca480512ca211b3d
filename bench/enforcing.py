"""The time from the return of ``kubectl apply`` to the first packet that is judged by the applied policy."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

from bench.api_objects import Object
from bench.bridge import BRIDGE, NodeBridge, node_bridge, port_name
from bench.compiled import cluster_of, port_numbers
from bench.inputs import NODE, Inputs
from bench.table import table, verdict
from tests.agent.prober import Party, Prober
from tests.cluster.building import BuildError, programs
from tests.cluster.control_plane import ControlPlane, running
from tests.support.unix_http import request

SIZE = "S"
BAR = 100.0
"""The milliseconds of the 99th percentile."""

CHANGES = 120
PAUSE = 0.002
"""The seconds between two rounds of packets."""

PATIENCE = 120.0
JUDGED_PORT, OTHER_PORT, KEPT_PORT = 80, 81, 22
SERVER_NUMBER, CLIENT_NUMBER = 1001, 1002
SERVER = Party(port_name(SERVER_NUMBER), "10.1.0.201")
CLIENT = Party(port_name(CLIENT_NUMBER), "10.1.0.202")


def measure(inputs: Inputs) -> Iterator[str]:
    """Changes of one policy, which allows a port and forbids it in turn."""
    yield "## From kubectl apply to the packets"
    try:
        found = programs()
    except BuildError as error:
        yield f"Left out: {error}."
        return
    yield (
        f"A real API server with the objects of {SIZE}, and `ovsnp agent` for node-0. A pod of node-0 opens a new"
        " connection to another one every few milliseconds; `kubectl apply` allows these connections and forbids them"
        f" in turn, {CHANGES} times."
        " From the end of the process of kubectl until the first packet that is judged by the new policy has come out,"
        " or has not; 0 if kubectl ended later. All processes share the machine."
    )
    with TemporaryDirectory() as directory, running(found) as control_plane:
        times = _measured(inputs, control_plane, Path(directory))
    p99 = quantiles(times, n=100)[98]
    rows = [
        ("median, ms", median(times), "-", verdict(median(times), None)),
        ("p99, ms", p99, f"{BAR:g}", verdict(p99, BAR)),
        ("longest, ms", max(times), "-", verdict(max(times), None)),
        ("judged before kubectl ended", f"{times.count(0.0)} of {len(times)}", "-", verdict(0, None)),
    ]
    yield table(("", "measured", "bar", "verdict"), rows)


def _measured(inputs: Inputs, control_plane: ControlPlane, directory: Path) -> Sequence[float]:
    """The milliseconds of each change."""
    control_plane.create([*inputs.objects(SIZE), *map(_pod, ("server", "client"), (SERVER, CLIENT))])
    files = [_policy_file(directory, port) for port in (JUDGED_PORT, OTHER_PORT)]
    control_plane.kubectl("apply", "-f", str(files[0]))
    numbers = port_numbers(cluster_of(inputs, SIZE))
    numbers |= {"default/server": SERVER_NUMBER, "default/client": CLIENT_NUMBER}
    with (
        node_bridge(numbers) as bridge,
        _agent(bridge, control_plane, directory),
        _prober(bridge, directory / "server.pcap") as prober,
        ThreadPoolExecutor(1) as other,
    ):
        times = []
        for turn in range(1, CHANGES + 1):
            apply = control_plane.kubectl_command("apply", "-f", str(files[turn % 2]))
            times.append(_change(prober, other.submit(_end_of, apply), allowed=turn % 2 == 0))
    return times


@contextmanager
def _prober(bridge: NodeBridge, capture: Path) -> Iterator[Prober]:
    """Packets from the client to the server, with one connection that stays open."""
    bridge.switch.run(["ovs-vsctl", "set", "Interface", SERVER.interface, f"options:tx_pcap={capture}"])
    prober = Prober(bridge.switch, SERVER, capture, (CLIENT,))
    try:
        prober.open(KEPT_PORT)
        prober.probe((JUDGED_PORT,))
        yield prober
    finally:
        prober.stop()


def _change(prober: Prober, returned: "Future[float]", *, allowed: bool) -> float:
    """The milliseconds from the return of kubectl until packets are judged by the policy; 0 if kubectl came later.

    Two rounds in a row must say the same; the time is the end of the first.
    """
    until, judged = time.monotonic() + PATIENCE, None
    while True:
        passed = (CLIENT.address, JUDGED_PORT) in prober.round()
        now = time.monotonic()
        if passed is not allowed:
            judged = None
        elif judged is None:
            judged = now
        else:
            return max(judged - returned.result(), 0.0) * 1000
        if prober.failure or now > until:
            raise TimeoutError(prober.failure or f"the policy is not enforced after {PATIENCE:g} seconds")
        time.sleep(PAUSE)


def _end_of(command: Sequence[str]) -> float:
    """Run a command; returns the time (`time.monotonic`) of its end."""
    subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)
    return time.monotonic()


def _pod(name: str, party: Party) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "labels": {"role": name}},
        "spec": {"nodeName": NODE, "containers": [{"name": "main"}]},
        "status": {"phase": "Running", "podIPs": [{"ip": party.address}]},
    }


def _policy_file(directory: Path, port: int) -> Path:
    """A policy that lets the client reach one port, and the port of the connection that stays open."""
    path = directory / f"port-{port}.yaml"
    path.write_text(
        "apiVersion: networking.k8s.io/v1\n"
        "kind: NetworkPolicy\n"
        "metadata: {name: changing, namespace: default}\n"
        "spec:\n"
        "  podSelector: {matchLabels: {role: server}}\n"
        "  ingress:\n"
        "    - from: [{podSelector: {matchLabels: {role: client}}}]\n"
        f"      ports: [{{port: {port}}}, {{port: {KEPT_PORT}}}]\n",
        encoding="utf-8",
    )
    return path


@contextmanager
def _agent(bridge: NodeBridge, control_plane: ControlPlane, directory: Path) -> Iterator[None]:
    """A process of ``ovsnp agent``, which is ready."""
    control = directory / "agent.sock"
    command = [sys.executable, "-m", "ovsnp", "agent", "--node", NODE, "--bridge", BRIDGE, "--socket", str(control)]
    command += ["--kubeconfig", str(control_plane.kubeconfig), "--db", bridge.switch.location.database]
    log = directory / "agent.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stderr=output, env={**os.environ, **bridge.environment})
    try:
        until = time.monotonic() + PATIENCE
        while not _is_ready(control):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"the agent is not ready: {log.read_text(encoding='utf-8')}")
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait()


def _is_ready(control: Path) -> bool:
    with suppress(OSError, HTTPException):
        return request(control, "/readyz").status == HTTPStatus.OK
    return False
