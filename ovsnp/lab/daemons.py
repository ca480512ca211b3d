"""An Open vSwitch of a node's own: ovsdb-server and ovs-vswitchd, and directories that they share with nobody.

The same steps as containerlab/configs/node/start-ovs.sh, with the daemons as processes that we keep hold of.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from ovsnp.errors import SwitchError
from ovsnp.lab.datapath import DatapathType

PATIENCE = 60.0


class Running(Protocol):
    """A daemon that was started: ``subprocess.Popen`` is one."""

    pid: int

    def poll(self) -> int | None:
        """Its exit status, once it has ended."""
        ...


Start = Callable[[Sequence[str], Path], Running]
"""Starts a daemon in the node; takes its command and the file for what it prints."""

Run = Callable[[Sequence[str]], object]
"""Runs a command in the node to its end; raises SwitchError where it fails."""


def environment(directory: Path) -> dict[str, str]:
    """What tells every Open vSwitch tool to use the instance in ``directory``."""
    return {"OVS_RUNDIR": str(directory), "OVS_DBDIR": str(directory), "OVS_LOGDIR": str(directory)}


def database_socket(directory: Path) -> str:
    """Where the instance's database is reached, as ``--db`` takes it."""
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

    When this returns, the bridges of the database are there, and take OpenFlow.
    """
    # A kernel without Open vSwitch is complained of at each start otherwise.
    only = ["--disable-system"] if datapath is DatapathType.NETDEV else []
    switch = start(
        ["ovs-vswitchd", database_socket(directory), "--pidfile", "--log-file", *only], directory / "ovs-vswitchd.out"
    )
    _until_answers(switch, "ovs-vswitchd", directory, lambda: run(["ovs-appctl", "--timeout=2", "version"]))
    # It answers before it has taken up the database; only what changes something there waits for it.
    stamp = f"external_ids:ovsnp-started={switch.pid}"
    _until_answers(
        switch, "ovs-vswitchd", directory, lambda: run(["ovs-vsctl", "--timeout=10", "set", "open_vswitch", ".", stamp])
    )


def _until_answers(daemon: Running, name: str, directory: Path, ask: Callable[[], object]) -> None:
    """Ask until the daemon answers: its socket is there before it listens."""
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
    """The end of what a daemon printed or logged."""
    for file in (directory / f"{name}.out", directory / f"{name}.log"):
        if file.exists() and (lines := file.read_text(encoding="utf-8", errors="replace").strip().splitlines()):
            return "\n".join(lines[-5:])
    return "it said nothing"
