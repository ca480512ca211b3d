"""The report in SARIF 2.1.0, which code scanning services read.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

import json
from pathlib import PurePath
from urllib.parse import quote

from ovsnp import __version__
from ovsnp.analysis.lint.finding import Located, Severity
from ovsnp.analysis.lint.linting import LintReport
from ovsnp.analysis.lint.registry import CHECKS
from ovsnp.yaml_reader.sources import STDIN

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTICE: "note"}
_NUMBERS = {name: number for number, name in enumerate(CHECKS)}


def render_sarif(report: LintReport) -> str:
    """The report as one run; findings that comments ignore are in it, as suppressed."""
    results = [_result(finding) for finding in report.findings]
    results += [_result(finding) | {"suppressions": [{"kind": "inSource"}]} for finding in report.ignored]
    driver = {"name": "ovsnp", "version": __version__, "rules": [_rule(name) for name in CHECKS]}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(name: str) -> dict[str, object]:
    check = CHECKS[name]
    return {
        "id": name,
        "shortDescription": {"text": check.what},
        "fullDescription": {"text": check.why},
        "defaultConfiguration": {"level": _LEVELS[check.severity]},
        "help": {"text": f"{check.what} {check.why} To ignore it: # ovsnp: ignore={name}"},
    }


def _result(finding: Located) -> dict[str, object]:
    about = ": ".join(part for part in (finding.subject, finding.path, finding.message) if part)
    return {
        "ruleId": finding.check,
        "ruleIndex": _NUMBERS[finding.check],
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{about}; {finding.remedy}"},
        "locations": [_location(finding)],
    }


def _location(finding: Located) -> dict[str, object]:
    physical: dict[str, object] = {"artifactLocation": {"uri": _uri(finding.span.file)}}
    if finding.span.line:
        physical["region"] = {"startLine": finding.span.line}
    return {"physicalLocation": physical}


def _uri(file: str) -> str:
    """A file's URI: relative to where the command ran, as code scanning wants it, unless the path is absolute."""
    if file == STDIN:
        return "stdin"
    path = PurePath(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
