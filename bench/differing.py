"""Time of ``ovsnp diff`` on a bridge, and of ``ovsnp diff --effect``, compared with the steps before the comparison."""

import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from bench.applying import OVSNP
from bench.bridge import node_bridge
from bench.compiled import cluster_of, port_numbers
from bench.compiling import compile_file
from bench.inputs import NODE, Inputs
from bench.process import run
from bench.table import Cell, table

HEAD_BRIDGE = ("input", "flows", "compile, s", "diff, s", "diff - compile, s")
HEAD_EFFECT = ("input", "change", "load both, s", "diff --effect, s", "beyond loading, s", "lines")

_LOAD = "import sys; from ovsnp.manifests import load; [load([each]) for each in sys.argv[1:]]"


def measure(inputs: Inputs) -> Iterator[str]:
    """Medians of runs that alternate."""
    sizes = [size for size in inputs.sizes if size != "XL"]
    yield "## ovsnp diff"
    if shutil.which("ovs-vswitchd"):
        yield (
            "Whole processes on the minimal input, against a real ovs-vswitchd with all of the node's flows:"
            f" nothing differs. {inputs.runs} runs each, in turns; medians."
        )
        yield table(HEAD_BRIDGE, [_against_bridge(inputs, size) for size in sizes])
    yield (
        "`--effect` of the minimal input and the same without one policy, without all policies of a namespace, and"
        " without any policy at all."
    )
    yield table(HEAD_EFFECT, [row for size in sizes for row in _effects(inputs, size)])


def _against_bridge(inputs: Inputs, size: str) -> tuple[Cell, ...]:
    file = inputs.file(size, minimal=True)
    with node_bridge(port_numbers(cluster_of(inputs, size))) as bridge:
        run([OVSNP, "apply", "-f", str(file), "--node", NODE, "--quiet"], bridge.environment)
        command = [OVSNP, "diff", "-f", str(file), "--node", NODE, "--quiet"]
        there = bridge.environment
        rounds = [(compile_file(file, there), run(command, there)) for _ in range(inputs.runs)]
        flows = bridge.flows()
    compiled, differed = (median(each[side].wall for each in rounds) for side in (0, 1))
    return size, flows, compiled, differed, median(diff.wall - compile.wall for compile, diff in rounds)


def _effects(inputs: Inputs, size: str) -> Iterator[tuple[Cell, ...]]:
    file = inputs.file(size, minimal=True)
    objects = json.loads(file.read_text(encoding="utf-8"))["items"]
    policies = [each for each in objects if each["kind"] == "NetworkPolicy"]
    space = policies[-1]["metadata"]["namespace"]
    # A policy that admits some pods: without a default deny, the other policies still deny the same.
    one = next(each for each in policies if each["metadata"]["name"] == "allow-external")
    changes = {
        "a policy less": [one],
        "a namespace's policies less": [each for each in policies if each["metadata"]["namespace"] == space],
        "no policies": policies,
    }
    for name, gone in changes.items():
        places = {(each["metadata"]["namespace"], each["metadata"]["name"]) for each in gone}
        kept = [each for each in objects if each["kind"] != "NetworkPolicy" or _place(each) not in places]
        changed = inputs.directory / f"{size}-changed.json"
        changed.write_text(json.dumps({"kind": "List", "apiVersion": "v1", "items": kept}), encoding="utf-8")
        yield size, name, *_effect(inputs, file, changed)


def _place(policy: dict[str, dict[str, str]]) -> tuple[str, str]:
    return policy["metadata"]["namespace"], policy["metadata"]["name"]


def _effect(inputs: Inputs, old: Path, new: Path) -> Sequence[Cell]:
    loading = [sys.executable, "-c", _LOAD, str(old), str(new)]
    said = inputs.directory / "effect.txt"
    # The answer is no: exit code 1.
    comparing = ["sh", "-c", f'"$0" diff --effect "$1" "$2" > "{said}"; test $? -eq 1', OVSNP, str(old), str(new)]
    rounds = [(run(loading).wall, run(comparing).wall) for _ in range(inputs.runs)]
    loaded, compared = (median(each[side] for each in rounds) for side in (0, 1))
    beyond = median(comparing - loading for loading, comparing in rounds)
    return loaded, compared, beyond, len(said.read_text(encoding="utf-8").splitlines())
