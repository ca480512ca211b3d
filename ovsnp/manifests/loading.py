"""Pass 1 as a whole: reads files, stdin or API objects into a cluster."""

from collections.abc import Collection, Iterable, Sequence
from typing import BinaryIO

import msgspec

from ovsnp.errors import Diagnostic, InputError, Place, Span
from ovsnp.gc_pause import gc_paused
from ovsnp.manifests.assembly import PolicyJudge, as_read, assemble
from ovsnp.manifests.inventory import Inventory
from ovsnp.manifests.no_manifests import broken, may_hold_objects, mistake_of_template, mistake_of_text
from ovsnp.manifests.overlay import apply_over
from ovsnp.manifests.passed_over import PassedOver
from ovsnp.manifests.templates import only_includes
from ovsnp.manifests.unbuilt import refuse_unbuilt
from ovsnp.model.cluster import Cluster
from ovsnp.yaml_reader.file_reader import FileReader
from ovsnp.yaml_reader.outline import Outline
from ovsnp.yaml_reader.report import MistakeReport
from ovsnp.yaml_reader.sources import SourceFile, read_sources

_READER = FileReader()


def load(
    paths: Sequence[str],
    *,
    ignore_kinds: Collection[str] = (),
    stdin: BinaryIO | None = None,
    reader: FileReader = _READER,
    judge: PolicyJudge = as_read,
) -> Cluster:
    """Read manifests from files, directories (recursively: .yaml .yml .json) and ``-`` for stdin.

    ``ignore_kinds`` names kinds of policies to pass over, although ovsnp does not understand them. ``stdin`` replaces
    the stdin of the process. ``reader`` may keep files that have not changed. ``judge`` may make of a policy with
    mistakes another one, and take the mistakes. Raises InputError with all mistakes of all files.
    """
    with gc_paused():
        files = _Files(paths, ignore_kinds, stdin, reader)
        return _finish(files.inventory, files.report, files.passed_over, files.diagnostics, judge)


def load_lists(
    lists: Iterable[msgspec.Raw],
    origin: str,
    *,
    applied: Sequence[str] = (),
    ignore_kinds: Collection[str] = (),
    stdin: BinaryIO | None = None,
    judge: PolicyJudge = as_read,
) -> Cluster:
    """Read lists of objects in JSON, as an API server sends them; ``origin`` stands for the file in diagnostics.

    ``applied`` are the paths of manifests whose objects replace those of the lists with the same name. The other
    arguments are as for `load`. Raises InputError with all mistakes.
    """
    with gc_paused():
        files = _Files(applied, ignore_kinds, stdin, _READER)
        listed = Inventory(files.report, files.passed_over, ignore_kinds, meant=[origin])
        for number, text in enumerate(lists):
            listed.add(Place(origin, number), text)
        apply_over(files.inventory, listed)
        return _finish(files.inventory, files.report, files.passed_over, files.diagnostics, judge)


def load_objects(objects: Iterable[object], *, ignore_kinds: Collection[str] = (), origin: str = "api") -> Cluster:
    """Read API objects that are parsed already (mappings as JSON has them); Lists may be among them.

    ``origin`` replaces the file name in diagnostics. Raises InputError with all mistakes.
    """
    with gc_paused():
        report = MistakeReport()
        passed_over = PassedOver()
        inventory = Inventory(report, passed_over, ignore_kinds, meant=[origin])
        for number, value in enumerate(objects):
            inventory.add(Place(origin, number), Outline(value, {}, []))
        return _finish(inventory, report, passed_over, [])


class _Files:
    """The objects in files, sorted by kind, and the mistakes that were found on the way."""

    def __init__(
        self, paths: Sequence[str], ignore_kinds: Collection[str], stdin: BinaryIO | None, reader: FileReader
    ) -> None:
        sources = read_sources(paths, stdin, reader.read)
        self.report = MistakeReport(sources.notes)
        self.passed_over = PassedOver(sources.files)
        self.inventory = Inventory(self.report, self.passed_over, ignore_kinds, meant=paths)
        self.diagnostics = sources.diagnostics
        while sources.files:
            source = sources.files.pop(0)
            self.diagnostics += self._take(source, reader, named=source.file in paths)
        self.passed_over.tell(self.report)
        refuse_unbuilt(self.passed_over, self.inventory, paths, self.report)

    def _take(self, source: SourceFile, reader: FileReader, *, named: bool) -> list[Diagnostic]:
        file, data = source
        directory = self.passed_over.directory_of(file)
        if not named and only_includes(data) and (found := mistake_of_template(data, directory)):
            return [_of_text(file, *found)]
        documents = reader.documents(source)
        mistake = documents.mistake
        if mistake and not named and not may_hold_objects(file, data):
            self.passed_over.take(Place(file), broken(data, mistake))
            return []
        for number, document in enumerate(documents.json):
            self.inventory.add(Place(file, number), document.text)
        for number, outline in enumerate(documents.yaml):
            if outline.value is not None or outline.faults:
                self.inventory.add(Place(file, number), outline)
        if mistake is None:
            return []
        return [_of_text(file, *mistake_of_text(data, mistake, directory))]


def _of_text(file: str, line: int, message: str) -> Diagnostic:
    return Diagnostic(Span(file, line), "", "", message)


def _finish(
    inventory: Inventory,
    report: MistakeReport,
    passed_over: PassedOver,
    diagnostics: list[Diagnostic],
    judge: PolicyJudge = as_read,
) -> Cluster:
    cluster = assemble(inventory, report, judge)
    diagnostics = diagnostics + report.diagnostics()
    if diagnostics:
        raise InputError(passed_over.together(diagnostics))
    return cluster
