"""The command: runs the named measurements, or all, and writes the results as Markdown."""

import argparse
import gc
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import bench
from bench import (
    applying,
    changing,
    committing,
    compiling,
    cutting,
    datapath,
    differing,
    drafting,
    drops,
    enforcing,
    explaining,
    flow_counts,
    following,
    incremental,
    linting,
    matrixing,
    services,
    throughput,
    verifying,
)
from bench.inputs import Inputs
from bench.layout import SIZES
from bench.machine import described
from ovsnp.lab.datapath import DatapathType

SECTIONS = {
    "sizes": flow_counts.measure,
    "compile": compiling.measure,
    "apply": applying.measure,
    "commit": committing.measure,
    "services": services.measure,
    "change": changing.measure,
    "incremental": incremental.measure,
    "agent": following.measure,
    "cut": cutting.measure,
    "enforcement": enforcing.measure,
    "datapath": datapath.measure,
    "drops": drops.measure,
    "explain": explaining.measure,
    "lint": linting.measure,
    "diff": differing.measure,
    "draft": drafting.measure,
    "matrix": matrixing.measure,
    "throughput": throughput.measure,
    "verify": verifying.measure,
}
NEED_OPEN_VSWITCH = ("apply", "commit", "agent", "cut", "enforcement", "datapath", "drops")
USUAL_SIZES = ["S", "M", "L"]


def main() -> None:
    arguments = _arguments()
    # Labs and daemons end with their contexts, also if a signal ends the measurement.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="ovsnp-bench-") as directory:
        # Timed processes find bytecode, as in an installed ovsnp; the first run of each makes it.
        os.environ["PYTHONPYCACHEPREFIX"] = f"{directory}/bytecode"
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        inputs = Inputs(Path(directory), tuple(arguments.sizes), arguments.runs, arguments.minimal, arguments.datapath)
        for part in (described(), inputs.described()):
            _write(part)
        for name in arguments.section or SECTIONS:
            if name in NEED_OPEN_VSWITCH and not shutil.which("ovs-vswitchd"):
                _write(f"## {name}\n\nLeft out: Open vSwitch is not installed (Debian: openvswitch-switch).")
                continue
            for part in SECTIONS[name](inputs):
                _write(part)
            gc.collect()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=bench.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("section", nargs="*", metavar="SECTION", help=f"{', '.join(SECTIONS)}; default: all")
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=USUAL_SIZES, help="default: S M L")
    parser.add_argument("--runs", type=int, default=5, help="how often a time is taken; default: 5")
    parser.add_argument("--minimal", action="store_true", help="leave out the full objects: XL's are 910 MB of JSON")
    parser.add_argument(
        "--datapath",
        type=DatapathType,
        choices=[*DatapathType],
        default=DatapathType.NETDEV,
        help="of throughput; default: netdev",
    )
    arguments = parser.parse_args()
    if unknown := [name for name in arguments.section if name not in SECTIONS]:
        parser.error(f"there is no section {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    return arguments


def _write(part: str) -> None:
    sys.stdout.write(f"{part}\n\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
