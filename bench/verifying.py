"""Time and memory of ``ovsnp verify`` for compiled flows, without Services and with them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from bench.inputs import NODE, Inputs
from bench.process import run
from bench.table import Cell, table, verdict

TIME_BAR = 60.0
MEMORY_BAR = 1024.0
BARRED = "L"
HEAD = (
    "input",
    "flows",
    "classes of packets",
    "verify, s",
    "bar",
    "verdict",
    "processor, s",
    "peak, MiB",
    "bar",
    "verdict",
    "seconds, as a multiple of the size before",
)
_VERIFY = [str(Path(sys.executable).parent / "ovsnp"), "verify", "--node", NODE]
_COMPILE = [str(Path(sys.executable).parent / "ovsnp"), "compile", "--node", NODE]
_NOWHERE = {"OVS_RUNDIR": "/nonexistent"}


def measure(inputs: Inputs) -> Iterator[str]:
    """Medians of whole processes; each size has ten times as many pods as the last."""
    yield "## ovsnp verify"
    yield (
        "Whole process, from JSON, no database: compiles and proves it, every class of packets. Exit code 0: nothing"
        f" is wrong. {inputs.runs} runs each; medians, and the largest peak."
    )
    yield table(HEAD, list(_rows(inputs)))


def _rows(inputs: Inputs) -> Iterator[tuple[Cell, ...]]:
    for with_services in (False, True):
        before = None
        for size in inputs.sizes:
            make = inputs.file_with_services if with_services else inputs.file
            row, before = _row(
                f"{size}{', with Services' if with_services else ''}", make(size, minimal=True), inputs.runs, before
            )
            yield row


def _row(name: str, file: Path, runs: int, before: float | None) -> tuple[tuple[Cell, ...], float]:
    taken = [run([*_VERIFY, "-f", str(file)], _NOWHERE) for _ in range(runs)]
    seconds, peak = median(each.wall for each in taken), max(each.peak for each in taken) / (1 << 20)
    time_bar, memory_bar = (TIME_BAR, MEMORY_BAR) if name == BARRED else (None, None)
    cells: tuple[Cell, ...] = (
        name,
        _flows(file),
        f"{_classes(file):.1e}",
        seconds,
        f"{time_bar:g}" if time_bar else "-",
        verdict(seconds, time_bar),
        median(each.processor for each in taken),
        peak,
        f"{memory_bar:g}" if memory_bar else "-",
        verdict(peak, memory_bar),
        seconds / before if before else "-",
    )
    return cells, seconds


def _flows(file: Path) -> int:
    return _printed([*_COMPILE, "-f", str(file)]).count("\nflow add ")


def _classes(file: Path) -> int:
    return int(json.loads(_printed([*_VERIFY, "-f", str(file), "-o", "json"]))["classes"])


def _printed(command: list[str]) -> str:
    environment = {**os.environ, **_NOWHERE}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True, timeout=1800)
    return done.stdout
