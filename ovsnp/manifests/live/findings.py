"""The notes about the objects of a live cluster, object by object."""

from collections.abc import Hashable, Iterable

from ovsnp.errors import Place
from ovsnp.model.note import Note
from ovsnp.yaml_reader.paths import format_path
from ovsnp.yaml_reader.report import Mistake, MistakeReport

LIVE = Place("cluster")
"""The place of every object of a live cluster: it comes from no file."""

LEFT_OUT = "ovsnp leaves the object out"


class Findings:
    """The notes about objects; each source (an object, at one step of reading) replaces its own notes."""

    def __init__(self, report: MistakeReport) -> None:
        self._report = report
        self._notes: dict[Hashable, tuple[Note, ...]] = {}
        self._all: tuple[Note, ...] | None = ()

    def take(self, source: Hashable, effect: str = LEFT_OUT) -> tuple[Mistake, ...]:
        """Make the notes of a source from what the report has collected; returns the mistakes.

        A mistake becomes a note that ends with its effect.
        """
        mistakes, notes = self._report.take()
        if mistakes or notes:
            self._notes[source] = (*_as_notes(mistakes, effect), *notes)
            self._all = None
        elif self._notes.pop(source, None):
            self._all = None
        return mistakes

    def all(self) -> tuple[Note, ...]:
        """The notes of all sources, sorted and without duplicates."""
        if self._all is None:
            self._all = tuple(sorted({note for notes in self._notes.values() for note in notes}))
        return self._all


def _as_notes(mistakes: Iterable[Mistake], effect: str) -> Iterable[Note]:
    for place, subject, path, message in mistakes:
        yield Note(place, str(subject or ""), format_path(path), f"{message}; {effect}")
