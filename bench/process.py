"""Time and memory of a whole process.

    python bench/process.py COMMAND...

runs the command without its output, and prints its cost as JSON. The kernel counts the memory of a process also as the
peak of the process that it starts, so a small separate process starts the command.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Taken(NamedTuple):
    """Wall-clock seconds, seconds of processor time, and the peak of resident memory in bytes."""

    wall: float
    processor: float
    peak: int


def run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Taken:
    """Run a command to its end; raises CalledProcessError if it fails."""
    launcher = [sys.executable, "-S", __file__, *command]
    given = {**os.environ, **(environment or {})}
    said = subprocess.run(launcher, env=given, stdout=subprocess.PIPE, check=True, timeout=1800)
    return Taken(*json.loads(said.stdout))


def processor_time(pid: int) -> float:
    """The processor time of a process so far, in seconds (proc(5), fields 14 and 15 of stat)."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def waiting_time(pid: int, thread: int) -> float:
    """The seconds in which a thread was ready to run and had no processor so far (schedstat)."""
    with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="utf-8") as file:
        return int(file.read().split()[1]) / 1e9


def _launch(command: list[str]) -> int:
    nothing = (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)
    began = time.perf_counter()
    child = os.posix_spawnp(command[0], command, os.environ, file_actions=[nothing])
    _, status, usage = os.wait4(child, 0)
    wall = time.perf_counter() - began
    json.dump((wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024), sys.stdout)
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(_launch(sys.argv[1:]))
