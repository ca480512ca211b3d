"""Keeps the last good snapshot, and the mistakes of the last reading."""

import threading
from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple

from ovsnp.console.workspace.cluster_source import ClusterSource, Enforcements
from ovsnp.console.workspace.snapshot import WorkspaceSnapshot
from ovsnp.errors import Diagnostic, LocatedError, OvsnpError
from ovsnp.gc_pause import exempt_from_gc, gc_paused
from ovsnp.model.address import Prefix
from ovsnp.oracle.terms import Terms
from ovsnp.yaml_reader.object_text import ObjectText

_WITH_LINES = 50
"""The most mistakes that are shown with the lines around them."""


class WorkspaceMistake(NamedTuple):
    """A mistake in a sentence.

    ``lines`` are those around the mistake in its file, and ``line`` is the number of its own; None and 0 without a
    file.
    """

    sentence: str
    lines: ObjectText | None = None
    line: int = 0


class WorkspaceState(NamedTuple):
    """The last good snapshot (None: there has been none), and the mistakes of a later reading.

    ``troubles`` say why the objects of a live cluster may be out of date.
    """

    snapshot: WorkspaceSnapshot | None
    mistakes: tuple[WorkspaceMistake, ...]
    troubles: tuple[str, ...]


class Workspace:
    """The objects that the console shows; may be called from any thread."""

    def __init__(self, source: ClusterSource, terms: Terms, service_cidrs: Sequence[Prefix] = ()) -> None:
        self.source = source
        self._terms, self._service_cidrs = terms, service_cidrs
        self._lock = threading.Lock()
        self._version: Hashable = object()
        self._snapshot: WorkspaceSnapshot | None = None
        self._mistakes: tuple[WorkspaceMistake, ...] = ()
        self._readings = 0
        self._when_read: Callable[[], None] = lambda: None

    def current(self) -> WorkspaceState:
        """The state now: the objects are read again if they have changed."""
        with self._lock:
            try:
                version = self.source.version()
                if version != self._version:
                    self._version = version  # of before the reading: a change meanwhile is read next time
                    self._read()
            except LocatedError as error:
                self._mistakes = self._located(error.diagnostics)
            except OvsnpError as error:
                self._mistakes = tuple(map(WorkspaceMistake, str(error).splitlines()))
            return WorkspaceState(self._snapshot, self._mistakes, self.source.troubles())

    def when_read(self, tell: Callable[[], None]) -> None:
        """Call for the snapshot that is there, and for each that follows; the call must end soon."""
        with self._lock:
            self._when_read = tell
            if self._snapshot:
                tell()

    def newest(self) -> WorkspaceSnapshot | None:
        """The last good snapshot that is known; reads nothing."""
        return self._snapshot

    def enforcements(self) -> Enforcements:
        """Where the policies are enforced now; empty for manifests, and where there is no agent."""
        with self._lock:
            return self.source.enforcements()

    def _located(self, mistakes: Sequence[Diagnostic]) -> tuple[WorkspaceMistake, ...]:
        return tuple(
            WorkspaceMistake(
                str(each), self.source.lines_around(each.span) if number < _WITH_LINES else None, each.span.line
            )
            for number, each in enumerate(mistakes)
        )

    def _read(self) -> None:
        self._readings += 1
        read = self.source.read()
        texts = self.source.texts()
        with gc_paused():
            snapshot = WorkspaceSnapshot(self._readings, read, texts, self._terms, self._service_cidrs)
            snapshot.prepare()
        exempt_from_gc()
        self._snapshot, self._mistakes = snapshot, ()
        self._when_read()
