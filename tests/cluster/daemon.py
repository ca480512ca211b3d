"""A process that answers on ports of the loopback interface, and can be ended, paused and started again."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

LOOPBACK = "127.0.0.1"
PATIENCE = 300.0
"""Seconds in which a process must answer; on an idle processor kube-apiserver takes about two."""


class DaemonError(Exception):
    """A process has ended, or does not answer; the message has the end of its log."""


class ReservedPort:
    """A free port that no other process gets, also while nobody listens there.

    The process that listens there must set SO_REUSEPORT, and must have the same user.
    """

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._socket.bind((LOOPBACK, 0))
        self.number: int = self._socket.getsockname()[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._socket.close()


class Daemon:
    """A program with its command line; ``answers`` says if it is ready.

    The kernel kills it at the end of the thread that has called `start`.
    """

    def __init__(self, command: Sequence[str], log: Path, answers: Callable[[], bool]) -> None:
        self.command, self.log = command, log
        self._answers = answers
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The number of the process, if it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        """Start the program, or resume it, and wait until it answers; raises DaemonError."""
        if self.pid is None:
            with self.log.open("ab") as log:
                command = ["setpriv", "--pdeathsig", "KILL", "--", *self.command]
                self._process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, process_group=0
                )
        self.resume()
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Wait until it answers; raises DaemonError."""
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            if self.pid is None:
                raise DaemonError(f"{self.command[0]} has ended; {self._last_words()}")
            if time.monotonic() > deadline:
                raise DaemonError(f"{self.command[0]} does not answer in {PATIENCE:.0f} seconds; {self._last_words()}")
            time.sleep(0.1)

    def stop(self) -> None:
        """Ask it to end (SIGTERM), and wait for the end."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill it (SIGKILL), so that it cannot take leave of anybody."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Stop it in the middle of its work (SIGSTOP): its connections stay, and nobody answers."""
        self._signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.pid or 0, os.WSTOPPED)  # a thread may go on for a moment

    def resume(self) -> None:
        """Let it go on after `pause`."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process
        self._process.send_signal(number)

    def _end(self, number: signal.Signals) -> None:
        if self.pid is not None:
            self._signal(number)
            self.resume()  # a paused process would not see SIGTERM
            assert self._process
            self._process.wait()

    def _last_words(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return "\n".join([f"its log ({self.log}) ends with:", *lines[-20:]])
