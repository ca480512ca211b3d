"""Time and memory of ``ovsnp compile``, compared with Python's own ``json.loads`` of the same file."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from bench.inputs import NODE, Inputs
from bench.process import Taken, run
from bench.table import Cell, table, verdict

TIME_BARS = {"L": 5.0, "XL": 2.0}
MEMORY_BARS = {"L": 12.0, "XL": 8.0}
OVSNP = str(Path(sys.executable).parent / "ovsnp")

_LOADS = """
import json, sys, time
with open(sys.argv[1], "rb") as file:
    data = file.read()
began, busy = time.perf_counter(), time.process_time()
value = json.loads(data)
print(time.perf_counter() - began, time.process_time() - busy)
"""

HEAD = (
    "input",
    "MB",
    "json.loads, s",
    "compile, s",
    "ratio",
    "bar",
    "verdict",
    "ratio of processor time",
    "peak, MB",
    "of the file",
    "bar",
    "verdict",
)


def measure(inputs: Inputs) -> Iterator[str]:
    """Medians of runs that alternate; the ratio is the ratio of the medians."""
    yield "## ovsnp compile"
    yield (
        "Whole process, from JSON, no database, output thrown away; `json.loads` is only the call, in a process of its"
        f" own. {inputs.runs} runs each, in turns; medians, and the largest peak."
    )
    variants = (True,) if inputs.only_minimal else (False, True)
    yield table(
        HEAD,
        [
            row(inputs, f"{size}, minimal" if minimal else size, file, TIME_BARS.get(size), MEMORY_BARS.get(size))
            for minimal in variants
            for size in inputs.sizes
            for file in [inputs.file(size, minimal=minimal)]
        ],
    )


def row(inputs: Inputs, name: str, file: Path, time_bar: float | None, memory_bar: float | None) -> tuple[Cell, ...]:
    """The cost to compile a file, with bars that are multiples of json.loads and of the size of the file."""
    nowhere = inputs.directory / "no-open-vswitch"
    nowhere.mkdir(exist_ok=True)
    environment = {"OVS_RUNDIR": str(nowhere)}
    compile_file(file, environment)  # so that no other run waits for the disk, or for new bytecode
    loads: list[tuple[float, float]] = []
    compiles: list[Taken] = []
    for _ in range(inputs.runs):
        loads.append(_json_loads(file))
        compiles.append(compile_file(file, environment))
    bytes_of_file = file.stat().st_size
    loaded, compiled = median(wall for wall, _ in loads), median(taken.wall for taken in compiles)
    busy = median(taken.processor for taken in compiles) / median(processor for _, processor in loads)
    peak = max(taken.peak for taken in compiles)
    return (
        name,
        bytes_of_file / 1e6,
        loaded,
        compiled,
        compiled / loaded,
        *_against(compiled / loaded, time_bar),
        busy,
        peak / 1e6,
        peak / bytes_of_file,
        *_against(peak / bytes_of_file, memory_bar),
    )


def _against(value: float, bar: float | None) -> tuple[str, str]:
    return f"{bar:g}" if bar is not None else "-", verdict(value, bar)


def _json_loads(file: Path) -> tuple[float, float]:
    command = [sys.executable, "-c", _LOADS, str(file)]
    wall, processor = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=1800).stdout.split()
    return float(wall), float(processor)


def compile_file(file: Path, environment: dict[str, str]) -> Taken:
    """Compile for node-0, in an environment that sets where Open vSwitch is."""
    return run([OVSNP, "compile", "-f", str(file), "--node", NODE], environment)
