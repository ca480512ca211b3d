"""A lab's directory: the settings that the lab was built from, and a journal of everything that must be removed again.

An entry is written before the thing is made, so a lab whose building stopped at any moment can still be removed
completely. A process is identified by its id and its start time: a later process with the same id is not the lab's.
"""

import fcntl
import os
import select
import shutil
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from ovsnp.errors import UsageError
from ovsnp.lab.datapath import DatapathType
from ovsnp.lab.topology import LAB_NAME
from ovsnp.model.options import Encap

BASE_VARIABLE = "OVSNP_LAB_DIR"
DEFAULT_BASE = Path("/run/ovsnp-lab")


class Process(msgspec.Struct, frozen=True):
    """A process, by its id and its start time in clock ticks since boot."""

    pid: int
    start: int


class JournalEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of the journal; ``networks`` are containerlab's Docker networks at the start of a deploy."""

    namespace: str | None = None
    process: Process | None = None
    networks: tuple[str, ...] | None = None


class Settings(msgspec.Struct, frozen=True):
    """The settings that a lab was built from.

    ``manifests`` are the files of the policies; the cluster's own manifests are beside the topology file. With ``own``,
    the lab is of the user's cluster, and the topology file is in the lab's directory. With ``agents``, a kubeconfig,
    an agent on each node follows the cluster of this API server, and there are no manifests.
    """

    name: str
    runtime: str
    topology: str
    encap: Encap
    manifests: tuple[str, ...] = ()
    strict_nodes: bool = False
    masquerade: bool = False
    datapath: DatapathType = DatapathType.NETDEV
    complete: bool = False
    own: bool = False
    agents: str | None = None


def start_time(pid: int) -> int | None:
    """The start time of a process (proc(5), field 22 of stat); None where there is no process, or only a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The second field, the command's name, may hold spaces and parentheses.
    state, *rest = stat[stat.rindex(")") + 2 :].split()
    return None if state in "ZX" else int(rest[18])


class LabDirectory:
    """The directory of one lab; it need not exist."""

    def __init__(self, name: str, base: Path | None = None) -> None:
        """Raises UsageError where ``name`` cannot be the name of a lab."""
        if not LAB_NAME.fullmatch(name):
            raise UsageError(f"{name!r} cannot be a lab's name; letters, digits, dots, dashes, at most 40")
        self.name = name
        self.root = (base or Path(os.environ.get(BASE_VARIABLE) or DEFAULT_BASE)).absolute() / name

    @property
    def exists(self) -> bool:
        """True if the lab stands, complete or in part."""
        return self.root.is_dir()

    def ovs_directory(self, node: str) -> Path:
        """The directory for the database, sockets and logs of a node's Open vSwitch."""
        return self.root / "nodes" / node

    @property
    def own_cluster(self) -> Path:
        """The directory for the topology and the manifests of a lab of the user's own cluster."""
        return self.root / "own"

    def claim(self) -> None:
        """Make the directory; raises UsageError where it exists already or cannot be made."""
        try:
            self.root.parent.mkdir(parents=True, exist_ok=True)
            self.root.mkdir(mode=0o755)
        except FileExistsError:
            raise UsageError(
                f"lab {self.name} is there already ({self.root}); take it away with: ovsnp lab down --name {self.name}"
            ) from None
        except OSError as error:
            raise UsageError(f"{self.root} cannot be made: {error.strerror}; set {BASE_VARIABLE}") from None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lab's lock, so that no other process changes the lab; raises UsageError where that fails."""
        try:
            descriptor = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise UsageError(f"{self.root / 'lock'} cannot be opened: {error.strerror}") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        except BlockingIOError:
            holder = os.pread(descriptor, 20, 0).decode() or "unknown"
            os.close(descriptor)
            raise UsageError(f"process {holder} works on lab {self.name}; wait until it ends, or end it") from None
        try:
            yield
        finally:
            os.close(descriptor)

    def save(self, settings: Settings) -> None:
        """Write the settings, in place of the earlier ones."""
        draft = self.root / "lab.json.new"
        draft.write_bytes(msgspec.json.format(msgspec.json.encode(settings)) + b"\n")
        draft.replace(self.root / "lab.json")

    def settings(self) -> Settings:
        """The settings that the lab was built from; raises UsageError where the lab does not exist or is incomplete."""
        if not self.exists:
            raise UsageError(f"there is no lab {self.name}; build it with: ovsnp lab up --name {self.name}")
        settings = self.written()
        if settings is None or not settings.complete:
            raise UsageError(
                f"lab {self.name} is only half built; take it away with: ovsnp lab down --name {self.name}"
            )
        return settings

    def written(self) -> Settings | None:
        """The settings of a lab, complete or not; None where no settings are written yet."""
        try:
            return msgspec.json.decode((self.root / "lab.json").read_bytes(), type=Settings)
        except (OSError, msgspec.MsgspecError):
            return None

    def record(self, entry: JournalEntry) -> None:
        """Add a line to the journal."""
        descriptor = os.open(self.root / "journal", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, msgspec.json.encode(entry) + b"\n")
        finally:
            os.close(descriptor)

    def entries(self) -> list[JournalEntry]:
        """The entries of the journal; a line that was cut short is skipped."""
        found = []
        with suppress(FileNotFoundError):
            for line in (self.root / "journal").read_bytes().splitlines():
                with suppress(msgspec.MsgspecError):
                    found.append(msgspec.json.decode(line, type=JournalEntry))
        return found

    def remove(self) -> None:
        """Remove the directory, and with the last lab also the directory of all labs."""
        shutil.rmtree(self.root)
        with suppress(OSError):
            self.root.parent.rmdir()


def end(processes: Sequence[Process]) -> None:
    """End processes: SIGTERM, then SIGKILL. A process that has ended or has another start time is skipped."""
    handles = []
    try:
        for process in processes:
            with suppress(ProcessLookupError):
                handle = os.pidfd_open(process.pid)
                handles.append(handle)
                # The check comes after the opening: from here on the handle always means the same process.
                if start_time(process.pid) != process.start:
                    os.close(handles.pop())
        for number, patience in ((signal.SIGTERM, 5.0), (signal.SIGKILL, 10.0)):
            for handle in handles:
                with suppress(ProcessLookupError):
                    signal.pidfd_send_signal(handle, number)
            if _gone(handles, patience):
                return
    finally:
        for handle in handles:
            os.close(handle)


def _gone(handles: list[int], patience: float) -> bool:
    """Wait at most ``patience`` seconds until all processes have ended; True if they have."""
    deadline = time.monotonic() + patience
    for handle in handles:
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            return False
    return True
