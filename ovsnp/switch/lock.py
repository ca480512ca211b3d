"""Locks: one change to a bridge at a time, and one agent."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

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
        _acquire(descriptor, bridge)
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def sole_agent(location: Location, bridge: str) -> Iterator[None]:
    """Be the only agent of a bridge; raises SwitchError at once if there is another, or as `exclusive` does."""
    descriptor = _open(location, bridge, "agent")
    try:
        _acquire_at_once(descriptor, bridge)
        yield
    finally:
        os.close(descriptor)


def _acquire_at_once(descriptor: int, bridge: str) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise SwitchError(
            f"another agent keeps bridge {bridge}; end it, or name another bridge with --bridge"
        ) from None


def _open(location: Location, bridge: str, kind: str) -> int:
    try:
        return os.open(location.file(bridge, kind), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise SwitchError(
            f"Open vSwitch cannot be reached in {location.rundir}: {error.strerror}; is it running, and is --db right?"
        ) from None


def _acquire(descriptor: int, bridge: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise SwitchError(f"another ovsnp has been changing bridge {bridge} for a minute") from None
            time.sleep(_PAUSE)
        else:
            return
