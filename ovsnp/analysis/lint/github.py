"""The report as GitHub's workflow commands, which show findings beside the lines of a pull request.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands; the escapes are those of the
toolkit that the commands are made for (actions/toolkit, packages/core/src/command.ts).
"""

from ovsnp.analysis.lint.finding import Located
from ovsnp.analysis.lint.linting import LintReport

_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = {**_DATA, ":": "%3A", ",": "%2C"}


def render_github(report: LintReport) -> str:
    """One line for each finding."""
    return "".join(f"{_command(finding)}\n" for finding in report.findings)


def _command(finding: Located) -> str:
    properties = {"file": finding.span.file, "line": str(finding.span.line or ""), "title": finding.check}
    written = ",".join(f"{name}={escaped(value, _PROPERTY)}" for name, value in properties.items() if value)
    about = ": ".join(part for part in (finding.subject, finding.path, finding.message) if part)
    return f"::{finding.severity} {written}::{escaped(f'{about}; {finding.remedy}', _DATA)}"


def escaped(text: str, escapes: dict[str, str]) -> str:
    """A text in which no character ends the command early."""
    return "".join(escapes.get(character, character) for character in text)
