"""Reads files of expectations: an entry becomes one expectation for each combination of ends and ports."""

import os
from collections.abc import Mapping, Sequence
from itertools import product
from typing import BinaryIO, TypeVar

import msgspec

from ovsnp.analysis.check.notation import ExpectationEntry, Ports, Several
from ovsnp.analysis.explain.reasons import Outcome
from ovsnp.analysis.naming.questions import Written
from ovsnp.analysis.wording.ports import PORTLESS
from ovsnp.errors import Diagnostic, InputError, Place, Span
from ovsnp.yaml_reader.json_text import outline_json
from ovsnp.yaml_reader.notation import read_documents
from ovsnp.yaml_reader.outline import Outline
from ovsnp.yaml_reader.paths import Fault, Path
from ovsnp.yaml_reader.report import MistakeReport
from ovsnp.yaml_reader.sources import read_sources
from ovsnp.yaml_reader.structure import describe, quote, shape_faults

_OUTCOMES = {outcome.value: outcome for outcome in (Outcome.ALLOWED, Outcome.DENIED)}
_FAMILIES: Mapping[str, int] = {"IPv4": 4, "IPv6": 6}
_Meaning = TypeVar("_Meaning")
_EMPTY = "holds no expectations; write a list of from, to, port and expect"


class ExpectationPaths(msgspec.Struct, frozen=True):
    """The paths in the document of an expectation's parts and of the entry."""

    source: Path
    destination: Path
    port: Path
    entry: Path


class Expectation(msgspec.Struct, frozen=True):
    """One question, the expected answer (allowed or denied), and the place in the file."""

    written: Written
    expected: Outcome
    place: Place
    ways: ExpectationPaths


def read_expectations(
    files: Sequence[str], report: MistakeReport, stdin: BinaryIO | None = None
) -> tuple[list[Expectation], list[Diagnostic]]:
    """The expectations of these files (``-`` is stdin), in order; mistakes in entries go to the report.

    An error that prevents the reading of a file is a diagnostic. Raises InputError for a directory.
    """
    if directories := [file for file in files if os.path.isdir(file)]:
        message = "is a directory; name the file with the expectations"
        raise InputError(Diagnostic(Span(file), "", "", message) for file in directories)
    sources = read_sources(files, stdin)
    diagnostics = sources.diagnostics
    found: list[Expectation] = []
    for file, data in sources.files:
        outlines, mistake = _outlines(file, data)
        if mistake:
            diagnostics.append(mistake)
        elif all(outline.value is None and not outline.faults for outline in outlines):
            diagnostics.append(Diagnostic(Span(file), "", "", _EMPTY))
        for number, outline in enumerate(outlines):
            found += _of_document(Place(file, number), outline, report)
    return found, diagnostics


def _outlines(file: str, data: bytes) -> tuple[list[Outline], Diagnostic | None]:
    documents = read_documents(file, data)
    mistake = documents.mistake
    return (
        [*(outline_json(each.text) for each in documents.json), *documents.yaml],
        Diagnostic(Span(file, mistake.line), "", "", mistake.message) if mistake else None,
    )


def _of_document(place: Place, outline: Outline, report: MistakeReport) -> list[Expectation]:
    value, faults = outline.value, list(outline.faults)
    if value is None and not faults:
        return []
    if not isinstance(value, list):
        faults = faults or [Fault((), f"must be a list, not {describe(value)}; write each entry after a dash")]
    elif not value:
        faults = faults or [Fault((), _EMPTY)]
    entries: list[ExpectationEntry] = []
    for index, item in enumerate(value if isinstance(value, list) else ()):
        kept, wrong = shape_faults(item, ExpectationEntry)
        entries.append(msgspec.convert(kept or {}, ExpectationEntry))
        faults += [Fault((index, *fault.path), fault.message) for fault in wrong]
    report.begin(place, None, faults)
    return [each for index, entry in enumerate(entries) for each in _of_entry(entry, place, (index,), report)]


def _of_entry(entry: ExpectationEntry, place: Place, path: Path, report: MistakeReport) -> list[Expectation]:
    """Every combination of the ends and ports of the entry."""
    sources = _named(entry.source, (*path, "from"), report)
    destinations = _named(entry.destination, (*path, "to"), report)
    ports = _ports(entry.port, destinations, (*path, "port"), report)
    version = _one_of(_FAMILIES, entry.family, (*path, "family"), report) if entry.family is not None else None
    expected = _one_of(_OUTCOMES, entry.expect, (*path, "expect"), report)
    return [
        Expectation(
            Written(source, destination, port, version),
            expected or Outcome.MIXED,  # after a mistake nothing is judged, but the ends are still resolved
            place,
            ExpectationPaths(from_path, to_path, port_path, path),
        )
        for (source, from_path), (destination, to_path), (port, port_path) in product(sources, destinations, ports)
    ]


def _named(given: Several, path: Path, report: MistakeReport) -> list[tuple[str, Path]]:
    """The ends of an entry with their paths."""
    if given is None or given == []:
        report.add(path, "missing; write NAMESPACE/POD, node/NAME, svc/NAMESPACE/NAME, an address, or a list of these")
        return []
    if isinstance(given, str):
        return [(given, path)]
    for index, name in enumerate(given):
        if name is None:
            report.add((*path, index), "null is nobody; name a pod, a node, a Service or an address, or remove it")
    return [(name, (*path, index)) for index, name in enumerate(given) if name is not None]


def _ports(
    given: Ports, destinations: Sequence[tuple[str, Path]], path: Path, report: MistakeReport
) -> list[tuple[str | None, Path]]:
    """The ports as on a command line, with their paths; one None where the entry has none.

    None means all ports of a Service. For another end it would mean ICMP, and any rule that names a port would meet
    ``denied``, so there it is a mistake.
    """
    if given is None or given == []:
        if not all(name.startswith("svc/") for name, _ in destinations):
            report.add(path, f"missing; write a port such as 6379 or 53/udp, or {PORTLESS} for what has no ports")
        return [(None, path)]
    if not isinstance(given, list):
        return [(str(given), path)]
    for index, port in enumerate(given):
        if port is None:
            report.add((*path, index), "null is no port; write one such as 6379 or 53/udp, or remove it")
    return [(str(port), (*path, index)) for index, port in enumerate(given) if port is not None]


def _one_of(words: Mapping[str, _Meaning], word: str | None, path: Path, report: MistakeReport) -> _Meaning | None:
    known = " or ".join(words)
    if word is None:
        report.add(path, f"missing; write {known}")
    elif word not in words:
        report.add(path, f"must be {known}, not {quote(word)}; write one of the two")
    return words.get(word or "")
