"""The file in which ovsnp keeps, from one run to the next, the holders of addresses that conntrack may remember."""

import os
from pathlib import Path

from ovsnp.errors import SwitchError
from ovsnp.switch.location import Location

_KIND = "holders"


def read_record(location: Location, bridge: str) -> bytes | None:
    """The content that `write_record` wrote for a bridge; None if there is no file. Raises SwitchError."""
    path = Path(location.file(bridge, _KIND))
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SwitchError(f"{path} cannot be read: {error.strerror}") from None


def append_record(location: Location, bridge: str, content: bytes) -> bool:
    """Append to the record; returns False if there is none. Raises SwitchError."""
    path = Path(location.file(bridge, _KIND))
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise SwitchError(f"{path} cannot be written: {error.strerror}") from None
    return True


def write_record(location: Location, bridge: str, content: bytes) -> None:
    """Replace the last record, as a whole or not at all. Raises SwitchError."""
    path = Path(location.file(bridge, _KIND))
    fresh = path.with_name(f"{path.name}.new")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        fresh.replace(path)
    except OSError as error:
        raise SwitchError(f"{path} cannot be written: {error.strerror}") from None
