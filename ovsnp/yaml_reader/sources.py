"""The input's bytes: files, directories and stdin."""

import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import BinaryIO, NamedTuple

from ovsnp.errors import Diagnostic, Place, Span
from ovsnp.model.note import Note
from ovsnp.yaml_reader.encoding import in_utf8

STDIN = "-"
_SUFFIXES = (".yaml", ".yml", ".json")
_ENDS = (*_SUFFIXES, "/Kustomization")
"""The ends of the paths to read in a directory; kustomize also reads a file without a suffix."""
_OF_PROGRAMS = (".#", "._")
"""The beginnings of the names of files that Emacs and macOS put beside a file."""

_LARGEST = 4 << 30
"""The largest input in bytes; a cluster of 100,000 pods takes a quarter of it."""
_CHUNK = 1 << 20

_NOT_FOLLOWED = "a link to a directory; ovsnp does not follow it, name the directory with -f"
_NOT_READ = f"ovsnp reads {', '.join(_SUFFIXES[:-1])} and {_SUFFIXES[-1]} files, in small letters; rename the file"
_NO_FILE = "a pipe, a socket or a device; ovsnp passes over it"

_streams: dict[str, bytes] = {}
"""The text from stdin and pipes: it cannot be read a second time, and line numbers are found later."""


class SourceFile(NamedTuple):
    """A file and its text in UTF-8."""

    file: str
    data: bytes


ReadFile = Callable[[str, BinaryIO | None], bytes]
"""Reads a file, or the given stdin, as text in UTF-8."""


class Sources(NamedTuple):
    """The files that were read, a diagnostic for each that cannot be read, and a note for each that is passed over."""

    files: list[SourceFile]
    diagnostics: list[Diagnostic]
    notes: list[Note]


class NoManifestError(Exception):
    """A path that leads to nothing that can be read: the reason, and the remedy."""


def read_file(file: str, stdin: BinaryIO | None) -> bytes:
    """The text of a file, a pipe, or stdin, in UTF-8.

    Raises OSError, ValueError and MemoryError, and NoManifestError for a device; `read_sources` makes diagnostics of
    them.
    """
    if file == STDIN:
        data = _streams[STDIN] = in_utf8(_all_of(stdin or _own_stdin()))
        return data
    status = os.stat(file)
    if _is_endless(status):
        raise NoManifestError("is a device; name a file, a directory, or - for stdin")
    if stat.S_ISREG(status.st_mode):
        _refuse_size(status.st_size)
        _streams.pop(file, None)
        with open(file, "rb") as stream:
            return in_utf8(stream.read())
    with open(file, "rb") as stream:
        data = _streams[file] = in_utf8(_all_of(stream))
        return data


def read_sources(paths: Sequence[str], stdin: BinaryIO | None = None, read: ReadFile = read_file) -> Sources:
    """Read every file once, in the order of ``paths``; the files of a directory are sorted.

    ``read`` is `read_file`, or keeps what it returns. A file that cannot be read is a diagnostic. In a directory, a
    link to a directory, a pipe, and a suffix in capital letters are notes.
    """
    sources = Sources([], [], [])
    for file in dict.fromkeys(_expand(paths, sources)):
        try:
            sources.files.append(SourceFile(file, read(file, stdin)))
        except (OSError, ValueError, MemoryError, NoManifestError) as error:
            sources.diagnostics.append(_unreadable(file, error))
    return sources


def files_of(paths: Sequence[str]) -> list[str]:
    """The files that ``read_sources`` tries to read for these paths, in its order."""
    return [*dict.fromkeys(_expand(paths, Sources([], [], [])))]


def holds_no_manifest(path: str) -> bool:
    """True for a directory that can be read, and has no file that `read_sources` would read."""
    sources = Sources([], [], [])
    return path != STDIN and os.path.isdir(path) and not any(_walk(path, sources)) and not sources.diagnostics


def read_again(file: str) -> bytes:
    """The text of a file that was read before, in UTF-8; raises OSError if it no longer exists."""
    if file in _streams:
        return _streams[file]
    if not stat.S_ISREG(os.stat(file).st_mode):
        raise FileNotFoundError(file)  # to open a pipe without a writer never returns
    with open(file, "rb") as stream:
        return in_utf8(stream.read())


def _own_stdin() -> BinaryIO:
    stream: BinaryIO | None = getattr(sys.stdin, "buffer", None)
    if stream is None:
        raise NoManifestError("stdin is closed; pipe the text into it, or name a file")
    return stream


def _is_endless(status: os.stat_result) -> bool:
    """True for a device other than /dev/null: it may have no end."""
    is_device = stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode)
    return is_device and status.st_rdev != os.stat(os.devnull).st_rdev


def _all_of(stream: BinaryIO) -> bytes:
    """The whole content of a stream."""
    chunks: list[bytes] = []
    size = 0
    while chunk := stream.read(_CHUNK):
        chunks.append(chunk)
        size += len(chunk)
        _refuse_size(size)
    return b"".join(chunks)


def _refuse_size(size: int) -> None:
    if size > _LARGEST:
        raise NoManifestError(f"is larger than {_LARGEST >> 30} GiB; name only the manifests")


def _expand(paths: Iterable[str], sources: Sources) -> Iterator[str]:
    for path in paths:
        if path != STDIN and os.path.isdir(path):
            before, found = len(sources.diagnostics), list(_walk(path, sources))
            if not found and len(sources.diagnostics) == before:
                message = f"holds no {', '.join(_SUFFIXES[:-1])} or {_SUFFIXES[-1]} file; name the manifests"
                sources.diagnostics.append(Diagnostic(Span(path), "", "", message))
            yield from found
        else:
            yield path


def _walk(directory: str, sources: Sources) -> Iterator[str]:
    """The manifests below a directory: first its files, then its directories, each sorted; skips hidden directories."""

    def refused(error: OSError) -> None:
        sources.diagnostics.append(_unreadable(str(error.filename), error))

    try:
        for parent, directories, files in os.walk(directory, onerror=refused):
            directories[:] = sorted(name for name in directories if not name.startswith("."))
            inside = (os.path.join(parent, name) for name in directories)
            sources.notes.extend(Note(Place(path), "", "", _NOT_FOLLOWED) for path in inside if os.path.islink(path))
            for path in (os.path.join(parent, name) for name in sorted(files) if not name.startswith(_OF_PROGRAMS)):
                if message := _why_not_read(path):
                    sources.notes.append(Note(Place(path), "", "", message))
                elif path.endswith(_ENDS):
                    yield path
    except RecursionError:
        message = "has too many directories in each other; name those with the manifests"
        sources.diagnostics.append(Diagnostic(Span(directory), "", "", message))


def _why_not_read(path: str) -> str | None:
    """The note about a file that is passed over although it has the name of a manifest; None for other files."""
    if path.endswith(_ENDS):
        return _NO_FILE if _is_no_file(path) else None
    return _NOT_READ if path.lower().endswith(_SUFFIXES) else None


def _is_no_file(path: str) -> bool:
    """True for a pipe, a socket or a device; a link that leads nowhere may be meant as a file."""
    try:
        return not stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        return False


def _unreadable(file: str, error: Exception) -> Diagnostic:
    match error:
        case NoManifestError():
            message = str(error)
        case MemoryError():
            message = "does not fit into memory; name only the manifests"
        case OSError():
            reason = str(error.strerror).lower()
            message = f"cannot be read: {reason}; check the path and its permissions"
        case _:  # only a null character in a path is a ValueError
            message = "cannot be read: a path holds no null character; check the path and its permissions"
    return Diagnostic(Span(file), "", "", message)
