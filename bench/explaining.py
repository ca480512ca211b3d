"""Time of ``ovsnp explain``, compared with only loading the same manifests."""

import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from bench.inputs import NODE, Inputs
from bench.process import Taken, run
from bench.table import Cell, table, verdict
from ovsnp.manifests import load
from ovsnp.model.cluster import Cluster
from ovsnp.model.ports import Protocol
from ovsnp.oracle import PodEnd, Traffic, judge

BARS = {"L": 1.5}
PORT = 5432

_LOAD = "import sys; from ovsnp.manifests import load; load(sys.argv[1:])"
HEAD = ("input", "MB", "load, s", "explain, s", "ratio", "bar", "verdict", "ratio of processor time")


def measure(inputs: Inputs) -> Iterator[str]:
    """Medians of runs that alternate; the ratio is the ratio of the medians."""
    yield "## ovsnp explain"
    yield (
        "Whole processes, from JSON: one loads the manifests and ends, the other explains a connection that both sides"
        f" deny, with the lines of all the policies that have a say. {inputs.runs} runs each, in turns; medians."
    )
    yield table(HEAD, [_row(inputs, size) for size in inputs.sizes])


def _row(inputs: Inputs, size: str) -> tuple[Cell, ...]:
    file = inputs.file(size, minimal=inputs.only_minimal)
    source, destination = _denied(load([str(file)]))
    loading = [sys.executable, "-c", _LOAD, str(file)]
    ovsnp = str(Path(sys.executable).parent / "ovsnp")
    explaining = [ovsnp, "explain", "-f", str(file), source, destination, str(PORT), "--expect", "denied"]
    run(explaining)  # so that no other run waits for the disk, or for new bytecode
    loads: list[Taken] = []
    explains: list[Taken] = []
    for _ in range(inputs.runs):
        loads.append(run(loading))
        explains.append(run(explaining))
    loaded, explained = median(taken.wall for taken in loads), median(taken.wall for taken in explains)
    busy = median(taken.processor for taken in explains) / median(taken.processor for taken in loads)
    bar = BARS.get(size)
    return (
        size,
        file.stat().st_size / 1e6,
        loaded,
        explained,
        explained / loaded,
        f"{bar:g}" if bar is not None else "-",
        verdict(explained / loaded, bar),
        busy,
    )


def _denied(cluster: Cluster) -> tuple[str, str]:
    """A pod of the node and a pod elsewhere with a connection that both sides deny."""
    local = [PodEnd(pod, pod.addresses[0]) for pod in cluster.pods if pod.node == NODE]
    for pod in reversed(cluster.pods):
        far = PodEnd(pod, pod.addresses[0])
        for near in local:
            said = judge(cluster, far, near, Traffic(Protocol.TCP, PORT))
            if not (said.egress.allowed or said.ingress.allowed):
                return pod.key, near.pod.key
    raise LookupError("there is no connection that both sides deny")
