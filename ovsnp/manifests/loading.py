"""Pass 1 as a whole: files, stdin or API objects to a cluster."""

from collections.abc import Collection, Iterable, Sequence
from typing import BinaryIO

from ovsnp.collector import without_collector
from ovsnp.errors import Diagnostic, InputError, Place, Span
from ovsnp.manifests.assembly import assemble
from ovsnp.manifests.inventory import Inventory
from ovsnp.manifests.no_manifests import broken, may_hold_objects, with_remedy
from ovsnp.manifests.report import Report
from ovsnp.manifests.text.notation import read_documents
from ovsnp.manifests.text.outline import Outline
from ovsnp.manifests.text.sources import Source, read_sources
from ovsnp.model.cluster import Cluster


def load(paths: Sequence[str], *, ignore_kinds: Collection[str] = (), stdin: BinaryIO | None = None) -> Cluster:
    """Read manifests from files, directories (recursively: .yaml .yml .json) and ``-`` for stdin.

    ``ignore_kinds`` names kinds of policies that are passed over though they are not understood. ``stdin`` is read
    in place of the process's own. Raises InputError with every mistake of all the files.
    """
    with without_collector():
        sources = read_sources(paths, stdin)
        report = Report(sources.notes)
        inventory = Inventory(report, ignore_kinds, meant=paths)
        diagnostics = sources.diagnostics
        while sources.files:
            diagnostics += _take_file(sources.files.pop(0), inventory, report)
        return _finish(inventory, report, diagnostics)


def load_objects(objects: Iterable[object], *, ignore_kinds: Collection[str] = (), origin: str = "api") -> Cluster:
    """Read API objects that are parsed already (mappings as JSON has them); Lists may be among them.

    ``origin`` stands in diagnostics where a file would. Raises InputError with every mistake.
    """
    with without_collector():
        report = Report()
        inventory = Inventory(report, ignore_kinds, meant=[origin])
        for number, value in enumerate(objects):
            inventory.add(Place(origin, number), Outline(value, {}, []))
        return _finish(inventory, report, [])


def _take_file(source: Source, inventory: Inventory, report: Report) -> list[Diagnostic]:
    file, data, named = source
    documents = read_documents(file, data)
    mistake = documents.mistake
    if mistake and not named and not may_hold_objects(file, data):
        report.begin(Place(file), None)
        report.note((), broken(data, mistake).note)
        return []
    for number, document in enumerate(documents.json):
        inventory.add(Place(file, number), document.text)
    for number, outline in enumerate(documents.yaml):
        if outline.value is not None or outline.faults:
            inventory.add(Place(file, number), outline)
    return [Diagnostic(Span(file, mistake.line), "", "", with_remedy(data, mistake))] if mistake else []


def _finish(inventory: Inventory, report: Report, diagnostics: list[Diagnostic]) -> Cluster:
    inventory.tell_strangers()
    cluster = assemble(inventory, report)
    diagnostics = diagnostics + report.diagnostics()
    if diagnostics:
        raise InputError(diagnostics)
    return cluster
