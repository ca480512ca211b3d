"""The Open vSwitch of one node: its own ovsdb-server and ovs-vswitchd, with a directory that no other node uses.

The steps are the same as in containerlab/configs/node/start-ovs.sh, but the caller starts the daemons and keeps their
processes.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from ovsnp.errors import SwitchError
from ovsnp.lab.datapath import DatapathType

PATIENCE = 60.0
"""Seconds that a daemon may take until it answers."""


class Running(Protocol):
    """A started daemon, such as a ``subprocess.Popen``."""

    pid: int

    def poll(self) -> int | None:
        """The exit status of the daemon; None while it runs."""
        ...


Start = Callable[[Sequence[str], Path], Running]
"""Starts a daemon in the node; takes the command and the file for the daemon's output."""

Run = Callable[[Sequence[str]], object]
"""Runs a command in the node to its end; raises SwitchError where the command fails."""


def environment(directory: Path) -> dict[str, str]:
    """The environment variables with which every Open vSwitch tool uses the instance in ``directory``."""
    return {"OVS_RUNDIR": str(directory), "OVS_DBDIR": str(directory), "OVS_LOGDIR": str(directory)}


def database_socket(directory: Path) -> str:
    """The address of the instance's database, as ``--db`` takes it."""
    return f"unix:{directory}/db.sock"


def launch(directory: Path, datapath: DatapathType, start: Start, run: Run) -> None:
    """Start an instance in ``directory`` and wait until it answers; raises SwitchError where it does not."""
    directory.mkdir(parents=True)
    run(["ovsdb-tool", "create", str(directory / "conf.db")])
    start_database(directory, start, run)
    # Without PMD threads the userspace datapath runs in one thread; the lab is small.
    threads = ["other_config:n-handler-threads=1", "other_config:n-revalidator-threads=1"]
    run(["ovs-vsctl", "--no-wait", "--timeout=5", "set", "open_vswitch", ".", *threads])
    start_switch(directory, datapath, start, run)


def start_database(directory: Path, start: Start, run: Run) -> None:
    """Start the ovsdb-server of an instance, for the first time or again; raises as `launch` does."""
    server = start(
        ["ovsdb-server", str(directory / "conf.db"), f"--remote=punix:{directory}/db.sock", "--pidfile", "--log-file"],
        directory / "ovsdb-server.out",
    )
    _until_answers(server, "ovsdb-server", directory, lambda: run(["ovs-vsctl", "--no-wait", "--timeout=2", "init"]))


def start_switch(directory: Path, datapath: DatapathType, start: Start, run: Run) -> None:
    """Start the ovs-vswitchd of an instance, for the first time or again; raises as `launch` does.

    When this returns, the bridges of the database exist and accept OpenFlow.
    """
    # Without it, ovs-vswitchd logs a complaint at each start where the kernel has no Open vSwitch.
    only = ["--disable-system"] if datapath is DatapathType.NETDEV else []
    switch = start(
        ["ovs-vswitchd", database_socket(directory), "--pidfile", "--log-file", *only], directory / "ovs-vswitchd.out"
    )
    _until_answers(switch, "ovs-vswitchd", directory, lambda: run(["ovs-appctl", "--timeout=2", "version"]))
    # ovs-vswitchd answers before it has applied the database; only a command that changes the database waits for that.
    stamp = f"external_ids:ovsnp-started={switch.pid}"
    _until_answers(
        switch, "ovs-vswitchd", directory, lambda: run(["ovs-vsctl", "--timeout=10", "set", "open_vswitch", ".", stamp])
    )


def _until_answers(daemon: Running, name: str, directory: Path, ask: Callable[[], object]) -> None:
    """Ask until the daemon answers: the socket exists before the daemon listens. Raises SwitchError if it does not."""
    deadline = time.monotonic() + PATIENCE
    while True:
        if (status := daemon.poll()) is not None:
            raise SwitchError(f"{name} ended at once with status {status}: {_last_words(directory, name)}")
        try:
            ask()
        except SwitchError as error:
            if time.monotonic() > deadline:
                raise SwitchError(f"{name} does not answer: {error}; {_last_words(directory, name)}") from None
            time.sleep(0.02)
        else:
            return


def _last_words(directory: Path, name: str) -> str:
    """The last lines (at most 5) of a daemon's output, or else of its log."""
    for file in (directory / f"{name}.out", directory / f"{name}.log"):
        if file.exists() and (lines := file.read_text(encoding="utf-8", errors="replace").strip().splitlines()):
            return "\n".join(lines[-5:])
    return "it said nothing"
