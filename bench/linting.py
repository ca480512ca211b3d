"""Time of ``ovsnp lint`` compared with ``ovsnp compile``, for input in which many parts can be compared with many."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from bench.inputs import Inputs
from bench.process import Taken, run
from bench.table import Cell, table, verdict

BAR = 3.0
MANY = (500, 2000, 8000)
Rule = dict[str, object]
HEAD = ("input", "compile, s", "lint, s", "ratio", "bar", "verdict")


def measure(inputs: Inputs) -> Iterator[str]:
    """Medians of runs that alternate; the ratio is the ratio of the medians."""
    yield "## ovsnp lint"
    yield (
        "Whole processes, from JSON: a node, a pod, and a policy in which no rule, block or range of ports holds"
        f" another. {inputs.runs} runs each, in turns; medians."
    )
    yield table(HEAD, [_row(inputs, name, many) for name in SHAPES for many in MANY])


def _row(inputs: Inputs, name: str, many: int) -> tuple[Cell, ...]:
    file = inputs.directory / f"lint-{many}-{name.replace(' ', '-')}.json"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": list(_objects(SHAPES[name](many)))}))
    ovsnp = str(Path(sys.executable).parent / "ovsnp")
    compiling = [ovsnp, "compile", "-f", str(file)]
    linting = [ovsnp, "lint", "-f", str(file), "--fail-on", "error", "--quiet"]
    run(linting)  # so that no other run waits for the disk, or for new bytecode
    compiles: list[Taken] = []
    lints: list[Taken] = []
    for _ in range(inputs.runs):
        compiles.append(run(compiling))
        lints.append(run(linting))
    compiled, linted = median(taken.wall for taken in compiles), median(taken.wall for taken in lints)
    return f"{many:,} {name}", compiled, linted, linted / compiled, f"{BAR:g}", verdict(linted / compiled, BAR)


def _objects(rules: list[Rule]) -> Iterator[dict[str, object]]:
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
    yield {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "feed", "namespace": "default"},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": rules},
    }


def _blocks(many: int) -> list[Rule]:
    """One rule with blocks that do not overlap."""
    peers = [{"ipBlock": {"cidr": _block(2 * number)}} for number in range(many)]
    return [{"from": peers, "ports": [{"port": 5432}]}]


def _ranges(many: int) -> list[Rule]:
    """Rules with port ranges that overlap those of the next rules."""
    peers = [{"podSelector": {"matchLabels": {"role": "db"}}}]
    ranges = ({"port": 1000 + number, "endPort": 1500 + number} for number in range(many))
    return [{"from": peers, "ports": [each]} for each in ranges]


def _block(number: int) -> str:
    return f"{20 + number // 65536}.{number // 256 % 256}.{number % 256}.0/24"


SHAPES: dict[str, Callable[[int], list[Rule]]] = {
    "blocks in one rule": _blocks,
    "rules with ranges that overlap": _ranges,
}
