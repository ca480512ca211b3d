"""The findings of lint as JSON."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from ovsnp.analysis.lint.finding import Located, Severity
from ovsnp.analysis.lint.linting import LintReport
from ovsnp.analysis.lint.registry import CHECKS
from ovsnp.document import Count, document_text


class LintFinding(msgspec.Struct, frozen=True):
    """A finding of a check in one object."""

    check: Annotated[str, Meta(description="the identifier of the check")]
    severity: Severity
    file: Annotated[str, Meta(description="as the command line names the file; - is stdin")]
    line: Annotated[Count, Meta(description="0: not known")]
    object: Annotated[str, Meta(description="NetworkPolicy NAMESPACE/NAME")]
    path: Annotated[str, Meta(description="the field in the object, such as spec.ingress[0]")]
    message: Annotated[str, Meta(description="what the check finds")]
    remedy: Annotated[str, Meta(description="what to do")]
    why: Annotated[str, Meta(description="why it matters")]


class LintDocument(msgspec.Struct, frozen=True):
    """The findings; later versions may add keys, and never change a key."""

    findings: Annotated[Sequence[LintFinding], Meta(description="sorted by file and line")]
    ignored: Annotated[Sequence[LintFinding], Meta(description="findings that comments ignore")]
    skipped: Annotated[Sequence[str], Meta(description="checks that did not run, as the input lacks pods")]


def render_findings(report: LintReport) -> str:
    """The report as one document."""
    findings, ignored = ([_finding(finding) for finding in each] for each in (report.findings, report.ignored))
    return document_text(LintDocument(findings, ignored, report.skipped))


def _finding(finding: Located) -> LintFinding:
    return LintFinding(
        check=finding.check,
        severity=finding.severity,
        file=finding.span.file,
        line=finding.span.line,
        object=finding.subject,
        path=finding.path,
        message=finding.message,
        remedy=finding.remedy,
        why=CHECKS[finding.check].why,
    )
