"""The report as text: one line for each finding, and an empty line between files."""

from collections.abc import Iterator
from itertools import groupby

from rich.text import Text

from ovsnp.analysis.lint.finding import Located, Severity
from ovsnp.analysis.lint.linting import LintReport
from ovsnp.errors import Span

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.NOTICE: "bold cyan"}


def text_lines(report: LintReport) -> Iterator[Text]:
    """``FILE:LINE: SEVERITY: ID KIND NAMESPACE/NAME: PATH: what is so; what to do``."""
    for number, (_, findings) in enumerate(groupby(report.findings, key=lambda finding: finding.span.file)):
        if number:
            yield Text()
        yield from map(_line, findings)


def where(span: Span) -> str:
    """``FILE:LINE``; the file alone if the line is unknown."""
    return f"{span.file}:{span.line}" if span.line else span.file


def _line(finding: Located) -> Text:
    check = (f"{finding.severity}: {finding.check}", _STYLES[finding.severity])
    line = Text.assemble((where(finding.span), "bold"), ": ", check)
    if finding.subject:
        line.append(f" {finding.subject}")
    for part in (finding.path, f"{finding.message}; {finding.remedy}"):
        line.append(f": {part}" if part else "")
    return line


def summary(report: LintReport) -> str:
    """The number of findings of each severity, and the number of ignored findings."""
    counts = [
        _counted(sum(finding.severity is severity for finding in report.findings), severity.value)
        for severity in Severity
    ]
    ignored = f", {len(report.ignored)} ignored" if report.ignored else ""
    return ", ".join(counts) + ignored


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
