"""Files written whole or not at all: a temporary file in the same directory takes the place of the old file."""

import os
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ovsnp.console.saving.failures import ConflictError, FileChangedError, NotSavedError


def read_file(path: Path) -> bytes:
    """The content of a file; raises NotSavedError."""
    with _told(path, "read"):
        _regular(path)
        return path.read_bytes()


def create_file(path: Path, data: bytes) -> None:
    """Make a new file; raises ConflictError if there is a file of the name, and NotSavedError."""

    def take_place(temporary: Path) -> None:
        try:
            os.link(temporary, path)
        except FileExistsError:
            raise ConflictError(f"{path} is there already; choose another name, or add to the file") from None

    with _told(path, "written"):
        _write_beside(path, data, None, take_place)


def replace_file(path: Path, before: bytes, data: bytes) -> None:
    """Write a file that holds ``before``; it keeps its mode, owner and extended attributes.

    Raises FileChangedError if the file holds something else, and NotSavedError.
    """

    def take_place(temporary: Path) -> None:
        _refuse_change(path, before)
        os.replace(temporary, path)

    with _told(path, "written"):
        _write_beside(path, data, _regular(path), take_place)


def delete_file(path: Path, before: bytes) -> None:
    """Delete a file that holds ``before``; raises the errors of `replace_file`."""
    with _told(path, "deleted"):
        _refuse_change(path, before)
        path.unlink()
        _sync_directory(path.parent)


def _regular(path: Path) -> os.stat_result:
    status = path.lstat()
    if not stat.S_ISREG(status.st_mode):
        raise NotSavedError(f"{path} is no regular file; choose another one")
    if status.st_nlink > 1:
        raise NotSavedError(
            f"{path} has {status.st_nlink} names (hard links), and a save would part them; edit it by hand"
        )
    return status


def _refuse_change(path: Path, before: bytes) -> None:
    try:
        if path.read_bytes() == before:
            return
    except FileNotFoundError:
        pass
    raise FileChangedError(f"{path} changes again and again; save once more when it rests")


def _write_beside(path: Path, data: bytes, like: os.stat_result | None, take_place: Callable[[Path], None]) -> None:
    """Write a temporary file with the mode and owner of the old one, and hand it to ``take_place``."""
    temporary = path.parent / f".{path.name}.{secrets.token_hex(8)}.tmp"
    try:
        with open(temporary, "xb", opener=_open_privately if like else None) as stream:
            stream.write(data)
            stream.flush()
            if like is not None:
                _keep(path, temporary, like)
            os.fsync(stream.fileno())
        take_place(temporary)
        _sync_directory(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _open_privately(path: str, flags: int) -> int:
    """Open for the owner alone: the old file may be unreadable for others, and the mode follows after the content."""
    return os.open(path, flags, stat.S_IRUSR | stat.S_IWUSR)


def _keep(path: Path, temporary: Path, like: os.stat_result) -> None:
    """Give a file the owner, mode and extended attributes of another one; its times are those of the write."""
    written = temporary.stat()
    if (written.st_uid, written.st_gid) != (like.st_uid, like.st_gid):
        try:
            os.chown(temporary, like.st_uid, like.st_gid)
        except PermissionError:
            raise NotSavedError(
                f"{path} belongs to another user or group, which a save cannot keep; edit it by hand"
            ) from None
    shutil.copystat(path, temporary)
    os.utime(temporary)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _told(path: Path, what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = str(error.strerror or error).lower()
        raise NotSavedError(
            f"{path} cannot be {what}: {reason}; check the directory, its permissions and its space"
        ) from None
