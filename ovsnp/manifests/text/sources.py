"""The input's bytes: files, directories and stdin."""

import os
import stat
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO, NamedTuple

from ovsnp.errors import Diagnostic, Span

STDIN = "-"
_SUFFIXES = (".yaml", ".yml", ".json")

_streams: dict[str, bytes] = {}
"""What came from stdin and pipes: it cannot be read a second time, and line numbers are found later."""


class Source(NamedTuple):
    """A file and its bytes."""

    file: str
    data: bytes


def read_sources(paths: Sequence[str], stdin: BinaryIO | None = None) -> tuple[list[Source], list[Diagnostic]]:
    """Read every file once, in the order of ``paths``, directories sorted; what cannot be read is a diagnostic."""
    sources: list[Source] = []
    diagnostics: list[Diagnostic] = []
    for file in dict.fromkeys(_expand(paths, diagnostics)):
        try:
            sources.append(Source(file, _read(file, stdin)))
        except (OSError, ValueError) as error:
            diagnostics.append(_unreadable(file, error))
    return sources, diagnostics


def files_of(paths: Sequence[str]) -> list[str]:
    """The files that ``read_sources`` reads of these paths, in its order; what cannot be read is passed over."""
    return [*dict.fromkeys(_expand(paths, []))]


def read_again(file: str) -> bytes:
    """The bytes of a file that was read before; raises OSError when it is gone."""
    return _streams[file] if file in _streams else _read_file(file)


def _read(file: str, stdin: BinaryIO | None) -> bytes:
    if file == STDIN:
        data = _streams[STDIN] = (stdin or sys.stdin.buffer).read()
        return data
    return _read_file(file)


def _read_file(file: str) -> bytes:
    with open(file, "rb") as stream:
        data = stream.read()
        if stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            _streams.pop(file, None)
        else:
            _streams[file] = data
        return data


def _expand(paths: Iterable[str], diagnostics: list[Diagnostic]) -> Iterator[str]:
    for path in paths:
        if path != STDIN and os.path.isdir(path):
            before, found = len(diagnostics), list(_walk(path, diagnostics))
            if not found and len(diagnostics) == before:
                message = f"holds no {', '.join(_SUFFIXES[:-1])} or {_SUFFIXES[-1]} file; name the manifests"
                diagnostics.append(Diagnostic(Span(path), "", "", message))
            yield from found
        else:
            yield path


def _walk(directory: str, diagnostics: list[Diagnostic]) -> Iterator[str]:
    """The manifests below a directory, in the order of their paths; hidden files and directories are skipped."""

    def refused(error: OSError) -> None:
        diagnostics.append(_unreadable(str(error.filename), error))

    for parent, directories, files in os.walk(directory, onerror=refused):
        directories[:] = sorted(name for name in directories if not name.startswith("."))
        for name in sorted(files):
            if name.endswith(_SUFFIXES) and not name.startswith("."):
                yield os.path.join(parent, name)


def _unreadable(file: str, error: OSError | ValueError) -> Diagnostic:
    # Only a null character in a path is a ValueError.
    reason = str(error.strerror).lower() if isinstance(error, OSError) else "a path holds no null character"
    return Diagnostic(Span(file), "", "", f"cannot be read: {reason}; check the path and its permissions")
