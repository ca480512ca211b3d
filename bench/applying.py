"""Time of ``ovsnp apply`` without its compiling, compared with ``ovs-ofctl bundle`` for the same flows."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench.bridge import BRIDGE, NodeBridge, node_bridge
from bench.compiled import cluster_of, port_numbers
from bench.compiling import OVSNP, compile_file
from bench.inputs import NODE, Inputs
from bench.process import Taken, run
from bench.table import Cell, table, verdict

HEAD = ("input", "flows", "ovs-ofctl bundle, s", "compile, s", "apply, s", "apply - compile, s", "bar, s", "verdict")


class Round(NamedTuple):
    """Wall-clock seconds of whole processes, one after the other."""

    bundle: float
    compile: float
    ready: float
    again: float
    bare: float


def measure(inputs: Inputs) -> Iterator[str]:
    """Medians over rounds; the time of apply without compiling is the median of the rounds' differences."""
    yield "## ovsnp apply"
    yield (
        "A real ovs-vswitchd with dummy ports; all pods of node-0 have theirs. apply's and compile's whole processes on"
        f" the minimal input, both asking the database; {inputs.runs} rounds, each of bundle, compile, apply; medians."
        " Bar: 1.2 times bundle + 0.3 s."
    )
    sizes = [size for size in inputs.sizes if size != "XL"]
    yield table(HEAD, [each for size in sizes for each in rows(inputs, size, inputs.file(size, minimal=True))])


def rows(inputs: Inputs, size: str, file: Path) -> Iterator[tuple[Cell, ...]]:
    """The time to apply a file to an empty bridge, to a bare one, and again."""
    with node_bridge(port_numbers(cluster_of(inputs, size))) as bridge:
        _apply(file, bridge)
        flows = bridge.flows()
        bundle = _bundle_file(inputs, file, bridge)
        rounds = [_round(file, bundle, bridge) for _ in range(inputs.runs)]
    bundled, compiled = median(each.bundle for each in rounds), median(each.compile for each in rounds)
    cases = {
        f"{size}, no flows yet": [(each.ready, each.compile) for each in rounds],
        f"{size}, no flows, no tunnel and gateway port yet": [(each.bare, each.compile) for each in rounds],
        f"{size}, again, nothing to change": [(each.again, each.compile) for each in rounds],
    }
    bar = 1.2 * bundled + 0.3
    for case, pairs in cases.items():
        applied, beyond = median(apply for apply, _ in pairs), median(apply - compile for apply, compile in pairs)
        yield case, flows, bundled, compiled, applied, beyond, bar, verdict(beyond, bar)


def _bundle_file(inputs: Inputs, file: Path, bridge: NodeBridge) -> Path:
    """The flows for this bridge, as a file."""
    command = [OVSNP, "compile", "-f", str(file), "--node", NODE]
    path = inputs.directory / "bundle.txt"
    with path.open("wb") as out:
        subprocess.run(command, env=bridge.switch.environment, stdout=out, check=True, timeout=600)
    return path


def _round(file: Path, bundle: Path, bridge: NodeBridge) -> Round:
    bridge.empty()
    command = ["ovs-ofctl", "-O", "OpenFlow15", "bundle", BRIDGE, str(bundle)]
    bundled = run(command, bridge.environment)
    bridge.empty()
    compiled = compile_file(file, bridge.environment)
    ready, again = _apply(file, bridge), _apply(file, bridge)
    bridge.strip()
    bare = _apply(file, bridge)
    return Round(bundled.wall, compiled.wall, ready.wall, again.wall, bare.wall)


def _apply(file: Path, bridge: NodeBridge) -> Taken:
    return run([OVSNP, "apply", "-f", str(file), "--node", NODE, "--quiet"], bridge.environment)
