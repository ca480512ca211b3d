"""Processes that a runtime starts on this machine."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from ovsnp.errors import SwitchError
from ovsnp.lab.journal import JournalEntry, LabDirectory, Process, start_time


def output(command: Sequence[str], what: str, directory: Path | None = None, given: bytes = b"") -> str:
    """Run a command to its end, with input ``given``; give its output.

    Raises SwitchError, which begins with ``what``, where the command fails.
    """
    done = subprocess.run(command, capture_output=True, check=False, input=given, cwd=directory)
    said, complained = (text.decode(errors="replace") for text in (done.stdout, done.stderr))
    if done.returncode != 0:
        raise SwitchError(f"{what}: {complained.strip() or said.strip() or f'status {done.returncode}'}")
    return said


def begin(command: Sequence[str], what: str, sink: Path, directory: LabDirectory) -> subprocess.Popen[bytes]:
    """Start a process that outlives the call; it waits until the journal names it, and ends where that never happens.

    The output goes to ``sink``. Raises SwitchError, which begins with ``what``, where the process ends at once.
    """
    with sink.open("wb") as stream:
        child = subprocess.Popen(
            ["/bin/sh", "-c", 'read -r go && exec "$@" </dev/null', "sh", *command],
            stdin=subprocess.PIPE,
            stdout=stream,
            stderr=subprocess.STDOUT,
            # The terminal's Ctrl-C is for the command, not for the lab's processes.
            start_new_session=True,
        )
    started = start_time(child.pid)
    if started is None or child.stdin is None:
        raise SwitchError(f"{what} ended at once")
    directory.record(JournalEntry(process=Process(child.pid, started)))
    with child.stdin as go:
        go.write(b"go\n")
    return child
