"""Locks of a bridge: one change at a time, and one agent that keeps it."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ovsnp.errors import SwitchError
from ovsnp.switch.location import Location

_PATIENCE = 60.0
_PAUSE = 0.02


@contextmanager
def exclusive(location: Location, bridge: str) -> Iterator[int]:
    """Wait until no other process changes the bridge's flows, and lock others out; yields the lock's descriptor.

    The lock ends with its last holder. `ovsnp.switch.ofctl.bundle` makes ``ovs-ofctl`` a holder: if ovsnp is killed
    while ``ovs-ofctl`` works, the next run plans from the result of that work. Raises SwitchError if the others take
    more than a minute, or if the directory of Open vSwitch cannot be used.
    """
    descriptor = _open(location, bridge, "lock")
    try:
        _wait_for(descriptor, bridge)
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def sole_agent(location: Location, bridge: str) -> Iterator[None]:
    """Make this process the agent of a bridge, for the time of the context; `require_unkept` refuses meanwhile.

    The lock ends with the process. Raises the errors of `exclusive`, and SwitchError if another agent keeps the bridge.
    """
    descriptor = _open(location, bridge, "agent")
    try:
        with exclusive(location, bridge):  # so that `require_unkept` never holds the lock of the agent now
            if not _acquire(descriptor):
                keeper = _keeper(location, bridge)
                raise SwitchError(f"{keeper} keeps bridge {bridge}, and a bridge has one agent; end that process first")
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def require_unkept(location: Location, bridge: str) -> None:
    """Raise SwitchError if an agent keeps the bridge, and would undo a change; call it with `exclusive`."""
    descriptor = _open(location, bridge, "agent")
    try:
        if not _acquire(descriptor):
            raise SwitchError(
                f"{_keeper(location, bridge)} keeps bridge {bridge} as the cluster says, and would undo the change;"
                " change the cluster with kubectl, or end that process first"
            )
    finally:
        os.close(descriptor)


def _open(location: Location, bridge: str, kind: str) -> int:
    try:
        return os.open(location.file(bridge, kind), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise SwitchError(
            f"Open vSwitch cannot be reached in {location.rundir}: {error.strerror}; is it running, and is --db right?"
        ) from None


def _wait_for(descriptor: int, bridge: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not _acquire(descriptor):
        if time.monotonic() > deadline:
            raise SwitchError(f"another ovsnp has been changing bridge {bridge} for a minute; wait until it ends")
        time.sleep(_PAUSE)


def _acquire(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _keeper(location: Location, bridge: str) -> str:
    """The agent that keeps a bridge, in words; the agent may not have written its process number yet."""
    number = Path(location.file(bridge, "agent")).read_bytes().decode("ascii", "replace")
    return f"ovsnp agent (process {number})" if number.isdigit() else "another ovsnp agent"
