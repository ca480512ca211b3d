"""Collects the mistakes and notes of the readers, and makes diagnostics from them."""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ovsnp.errors import Diagnostic, Place
from ovsnp.model.note import Note
from ovsnp.yaml_reader.location import Locator
from ovsnp.yaml_reader.paths import Fault, Path, format_path, parse_path
from ovsnp.yaml_reader.structure import quote

FEW = 3
"""Up to this number of one sort get a note each; more get one note together."""
DEFAULT_NAMESPACE = "default"
"""The namespace of objects that do not state one."""

_NAME = re.compile(r"[A-Za-z0-9._-]{0,253}")
_CLUSTER_SCOPED = frozenset({"Namespace", "Node", "ServiceCIDR"})


class Subject(NamedTuple):
    """The object that a mistake is about; its names are as they were written, of any type."""

    kind: str
    namespace: object = None
    name: object = None

    def __str__(self) -> str:
        """``KIND NAMESPACE/NAME`` as diagnostics have it."""
        name = _printable(self.name) or "?"
        if self.kind in _CLUSTER_SCOPED:
            return f"{self.kind} {name}"
        return f"{self.kind} {_printable(self.namespace) or DEFAULT_NAMESPACE}/{name}"


def _printable(text: object) -> str:
    if not isinstance(text, str):
        return ""
    return text if _NAME.fullmatch(text) else quote(text)


class Mistake(NamedTuple):
    """One mistake in one object, before its line is known."""

    place: Place
    subject: Subject | None
    path: Path
    message: str


class MistakeReport:
    """Collects the mistakes and notes of one object after the other; keeps all, raises none."""

    def __init__(self, notes: Iterable[Note] = ()) -> None:
        self._mistakes: list[Mistake] = []
        self._notes = set(notes)
        self._place = Place("")
        self._subject: Subject | None = None
        self._broken: tuple[Path, ...] = ()

    def begin(self, place: Place, subject: Subject | None, faults: Sequence[Fault] = ()) -> None:
        """Make an object the subject of `add` and `note` from now on; ``faults`` are its mistakes so far."""
        self._place = place
        self._subject = subject
        self._broken = ()
        for fault in faults:
            self.add(fault.path, fault.message)
        if faults:
            self._broken = tuple(fault.path for fault in faults)

    @property
    def about(self) -> tuple[Place, Subject | None]:
        """The place and subject of the last `begin`."""
        return self._place, self._subject

    def add(self, path: Path, message: str | None) -> None:
        """Record a mistake, if there is a message.

        A mistake around or inside a part that is known to be broken is left out: it follows from that part.
        """
        if message is not None and not self._follows(path):
            self._mistakes.append(Mistake(self._place, self._subject, path, message))

    def note(self, path: Path, message: str | None) -> None:
        """Record something about the object that is odd but no mistake, if there is a message."""
        if message is not None and not self._follows(path):
            self._notes.add(Note(self._place, str(self._subject or ""), format_path(path), message))

    def notes(self) -> tuple[Note, ...]:
        """All notes, sorted by place."""
        return tuple(sorted(self._notes))

    def take(self) -> tuple[tuple[Mistake, ...], tuple[Note, ...]]:
        """All mistakes and notes since the last call; the report forgets them."""
        mistakes, notes = tuple(self._mistakes), self.notes()
        self._mistakes.clear()
        self._notes.clear()
        return mistakes, notes

    def withdraw(self) -> list[Mistake]:
        """The mistakes of the object that is the subject now; the report forgets them."""
        count = 0
        while count < len(self._mistakes) and self._mistakes[-1 - count].place == self._place:
            count += 1
        first = len(self._mistakes) - count
        found, self._mistakes[first:] = self._mistakes[first:], []
        return found

    def put_back(self, mistakes: Iterable[Mistake]) -> None:
        """Take back mistakes that were withdrawn."""
        self._mistakes.extend(mistakes)

    def _follows(self, path: Path) -> bool:
        """True if a path lies around or inside a part that is broken."""
        for broken in self._broken:
            common = min(len(broken), len(path))
            if broken[:common] == path[:common]:
                return True
        return False

    def diagnostics(self) -> list[Diagnostic]:
        """All mistakes with their lines."""
        locator = Locator()
        return [
            Diagnostic(
                locator.span(mistake.place, mistake.path),
                str(mistake.subject or ""),
                format_path(mistake.path),
                mistake.message,
            )
            for mistake in self._mistakes
        ]


def located(notes: Iterable[Note]) -> list[Diagnostic]:
    """Notes as diagnostics with their lines, sorted by place; reads the files again."""
    locator = Locator()
    return sorted(
        Diagnostic(locator.span(note.place, parse_path(note.path)), note.subject, note.path, note.message)
        for note in notes
    )
