"""Time of ``ovsnp lint`` against that of ``ovsnp compile``, where a rule has many blocks."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from bench.inputs import Inputs
from bench.process import Taken, run
from bench.table import Cell, table, verdict

BAR = 3.0
BLOCKS = (500, 2000, 8000)
HEAD = ("blocks", "compile, s", "lint, s", "ratio", "bar", "verdict")


def measure(inputs: Inputs) -> Iterator[str]:
    """Medians of runs that take turns; the ratio is that of the medians."""
    yield "## ovsnp lint"
    yield (
        "Whole processes, from JSON: a node, a pod, and a policy with one rule of this many blocks, none of which holds"
        f" another. {inputs.runs} runs each, in turns; medians."
    )
    yield table(HEAD, [_row(inputs, blocks) for blocks in BLOCKS])


def _row(inputs: Inputs, blocks: int) -> tuple[Cell, ...]:
    file = inputs.directory / f"blocks-{blocks}.json"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": list(_objects(blocks))}))
    ovsnp = str(Path(sys.executable).parent / "ovsnp")
    compiling = [ovsnp, "compile", "-f", str(file)]
    linting = [ovsnp, "lint", "-f", str(file), "--fail-on", "error", "--quiet"]
    run(linting)  # so that no other run waits for the disk, or for bytecode to be made
    compiles: list[Taken] = []
    lints: list[Taken] = []
    for _ in range(inputs.runs):
        compiles.append(run(compiling))
        lints.append(run(linting))
    compiled, linted = median(taken.wall for taken in compiles), median(taken.wall for taken in lints)
    return blocks, compiled, linted, linted / compiled, f"{BAR:g}", verdict(linted / compiled, BAR)


def _objects(blocks: int) -> Iterator[dict[str, object]]:
    yield {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "node-0"},
        "spec": {"podCIDRs": ["10.20.1.0/24"]},
        "status": {"addresses": [{"type": "InternalIP", "address": "192.168.50.1"}]},
    }
    yield {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "db", "namespace": "default", "labels": {"role": "db"}},
        "spec": {"nodeName": "node-0", "containers": [{"name": "main"}]},
        "status": {"phase": "Running", "podIPs": [{"ip": "10.20.1.10"}]},
    }
    peers = [{"ipBlock": {"cidr": _block(2 * number)}} for number in range(blocks)]
    yield {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "feed", "namespace": "default"},
        "spec": {
            "podSelector": {},
            "policyTypes": ["Ingress"],
            "ingress": [{"from": peers, "ports": [{"port": 5432}]}],
        },
    }


def _block(number: int) -> str:
    return f"{20 + number // 65536}.{number // 256 % 256}.{number % 256}.0/24"
