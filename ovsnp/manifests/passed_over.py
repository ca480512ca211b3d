"""Collects the files that are passed over until all files are known, so that notes are few."""

import os
import shlex
from collections.abc import Iterable

from ovsnp.errors import Diagnostic, Place
from ovsnp.manifests.kustomization import Kustomization, absolute, read_kustomization
from ovsnp.manifests.no_manifests import (
    CHART,
    KUSTOMIZATION,
    OF_CHART,
    OTHER,
    PLAIN_KUSTOMIZATION,
    TEMPLATE,
    Stranger,
    names_chart,
    names_kustomization,
    of_several_templates,
    remedy_of,
)
from ovsnp.model.note import Note
from ovsnp.yaml_reader.report import FEW, MistakeReport
from ovsnp.yaml_reader.sources import SourceFile

_SOME_DIRECTORY = "DIR"
_IN_CHART = frozenset({OF_CHART, OTHER, TEMPLATE})
"""The sorts of text that belong to the chart around them, if there is one."""


class PassedOver:
    """The charts and kustomizations among the files, and the documents that are no manifests.

    ``files`` are the names of all files. ``kustomizations`` has the content of the files with a name that kustomize
    reads.
    """

    def __init__(self, sources: Iterable[SourceFile] = ()) -> None:
        self._charts: set[str] = set()
        self.files: list[str] = []
        self.kustomizations: dict[str, Kustomization] = {}
        for file, data in sources:
            self.files.append(file)
            if names_chart(file):
                self._charts.add(_around(file))
            elif names_kustomization(file):
                self.kustomizations[file] = read_kustomization(file, data)
        known = self.kustomizations.values()
        self._patches = frozenset[str]().union(*(each.patches for each in known))
        self._patches -= frozenset[str]().union(*(each.resources for each in known))
        self._found: dict[Stranger, dict[str, list[Place]]] = {}

    def is_patch(self, file: str) -> bool:
        """True if a kustomization among the files names this file as a patch, and none as a resource."""
        return bool(self._patches) and absolute(file) in self._patches

    def take(self, place: Place, what: Stranger) -> None:
        """Record the sort of a document, for one of the notes."""
        if what in _IN_CHART and (chart := self._chart_of(place.file)):
            place, what = Place(chart), CHART
        elif what is OF_CHART:
            what = OTHER
        elif what is KUSTOMIZATION and (found := self.kustomizations.get(place.file)) and found.only_lists:
            what = PLAIN_KUSTOMIZATION
        self._found.setdefault(what, {}).setdefault(place.file, []).append(place)

    def directory_of(self, file: str) -> str:
        """The directory to pass to helm or kustomize for a file, quoted for a shell; DIR if it is unknown."""
        directory = _around(file) if names_kustomization(file) else self._chart_of(file)
        return shlex.quote(directory) if directory else _SOME_DIRECTORY

    def tell(self, report: MistakeReport) -> None:
        """Note what was passed over: each file once, or all files of one sort together if there are more than `FEW`."""
        for what, files in self._found.items():
            if len(files) > FEW:
                report.begin(Place(_around(*files)), None)
                report.note((), what.note(_SOME_DIRECTORY, len(files), f" ({next(iter(files))} and others)"))
                continue
            for file, (place, *more) in files.items():
                report.begin(place, None)
                if what is CHART:
                    report.note((), what.note(shlex.quote(file)))
                else:
                    report.note((), what.note(self.directory_of(file), 1 + len(more)))

    def together(self, diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
        """The errors, with one for all templates of a chart that must be rendered: the first, with their number."""
        found: list[Diagnostic] = []
        of_charts: dict[str, list[Diagnostic]] = {}
        for each in diagnostics:
            chart = self._chart_of(each.span.file)
            if chart and of_several_templates(each.message, shlex.quote(chart), 1):
                of_charts.setdefault(chart, []).append(each)
            else:
                found.append(each)
        for chart, templates in of_charts.items():
            first = min(templates)
            more = len({each.span.file for each in templates}) - 1
            together = of_several_templates(first.message, shlex.quote(chart), more) if more else None
            found += [first._replace(message=together)] if together else templates
        return found

    def _chart_of(self, file: str) -> str | None:
        """The directory of the innermost chart around a file; None without a chart."""
        while self._charts and file != (file := _around(file)):
            if file in self._charts:
                return file
        return None


def advice(path: str, notes: Iterable[Note]) -> str | None:
    """The remedy for the first chart or kustomization below ``path`` that was passed over; None without any."""
    for note in sorted(notes):
        remedy = remedy_of(note.message)
        if remedy and os.path.commonpath([absolute(path), absolute(note.place.file)]) == absolute(path):
            return remedy
    return None


def _around(*files: str) -> str:
    """The innermost directory around these files; if relative and absolute paths are mixed, that of the first."""
    directories = [os.path.dirname(file) for file in files]
    try:
        return os.path.commonpath(directories) or os.curdir
    except ValueError:
        return directories[0] or os.curdir
