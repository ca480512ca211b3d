"""The report for programs."""

import json

from ovsnp.analysis.lint.finding import Located
from ovsnp.analysis.lint.linting import LintReport
from ovsnp.analysis.lint.registry import CHECKS


def render_findings(report: LintReport) -> str:
    """One document; keys may be added in later versions, never changed."""
    document = {
        "findings": [_finding(finding) for finding in report.findings],
        "ignored": [_finding(finding) for finding in report.ignored],
        "skipped": list(report.skipped),
    }
    return json.dumps(document, indent=2) + "\n"


def _finding(finding: Located) -> dict[str, object]:
    return {
        "check": finding.check,
        "severity": finding.severity,
        "file": finding.span.file,
        "line": finding.span.line,
        "object": finding.subject,
        "path": finding.path,
        "message": finding.message,
        "remedy": finding.remedy,
        "why": CHECKS[finding.check].why,
    }
