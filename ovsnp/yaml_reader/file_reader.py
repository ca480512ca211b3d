"""Readers of files: one that reads each time, and one that keeps what has not changed."""

import os
from collections.abc import Iterable
from typing import BinaryIO

from ovsnp.yaml_reader.location import LocatedFile
from ovsnp.yaml_reader.notation import Documents, read_documents
from ovsnp.yaml_reader.sources import SourceFile, read_file

Stamp = tuple[int, int, int]
"""The time of the last change in nanoseconds, the size and the inode: by these a change of a file shows."""


def stamp(file: str) -> Stamp | None:
    """The stamp of a file; None if there is no such file."""
    try:
        status = os.stat(file)
    except (OSError, ValueError):
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


class FileReader:
    """Reads files, and cuts them into documents."""

    def read(self, file: str, stdin: BinaryIO | None) -> bytes:
        """The text of a file in UTF-8; raises the errors of `read_file`."""
        return read_file(file, stdin)

    def documents(self, source: SourceFile) -> Documents:
        """The documents of a file that was read."""
        return read_documents(*source)


class KeptFile:
    """A file in one state: its text, and what is made of it when it is first asked for."""

    def __init__(self, stamp: Stamp | None, source: SourceFile) -> None:
        self.stamp = stamp
        self._source = source
        self._documents: Documents | None = None
        self._located: LocatedFile | None = None

    @property
    def data(self) -> bytes:
        """The text."""
        return self._source.data

    @property
    def documents(self) -> Documents:
        """The documents, without lines."""
        if self._documents is None:
            self._documents = read_documents(*self._source)
        return self._documents

    @property
    def located(self) -> LocatedFile:
        """The documents with the lines of their fields."""
        if self._located is None:
            self._located = LocatedFile(*self._source)
        return self._located


class KeepingReader(FileReader):
    """Reads and parses a file again only if its stamp has changed; ``files`` has what was read last, by name."""

    def __init__(self) -> None:
        self.files: dict[str, KeptFile] = {}

    def read(self, file: str, stdin: BinaryIO | None) -> bytes:
        """The text of a file in UTF-8; raises the errors of `read_file`."""
        now = stamp(file)  # of before the reading: a change meanwhile is read next time
        if now is None or file not in self.files or self.files[file].stamp != now:
            self.files.pop(file, None)
            self.files[file] = KeptFile(now, SourceFile(file, read_file(file, stdin)))
        return self.files[file].data

    def documents(self, source: SourceFile) -> Documents:
        """The documents of a file that was read."""
        return self.files[source.file].documents

    def forget_others(self, files: Iterable[str]) -> None:
        """Forget all files but these."""
        self.files = {file: self.files[file] for file in files if file in self.files}
