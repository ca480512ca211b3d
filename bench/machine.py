"""The machine of the measurements."""

import os
import platform
import subprocess
from pathlib import Path

from ovsnp import __version__


def described() -> str:
    """Processor, memory, versions, and the load by other processes, as text."""
    first, *_ = os.getloadavg()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return "\n".join(
        (
            "# What ovsnp costs",
            "",
            f"- processor: {_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB of memory",
            f"- load before the first measurement: {first:.1f} (the times of a busy machine are long, ratios are fair)",
            f"- {platform.system()} {platform.release()}, Python {platform.python_version()}, ovsnp {__version__}",
            f"- {_open_vswitch()}",
        )
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _open_vswitch() -> str:
    try:
        said = subprocess.run(["ovs-vswitchd", "--version"], capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return "Open vSwitch: not installed"
    return said.stdout.splitlines()[0]
