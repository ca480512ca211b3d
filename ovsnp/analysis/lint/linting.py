"""Runs checks on one cluster."""

from collections.abc import Collection, Iterable, Sequence

import msgspec

from ovsnp.analysis.lint.finding import Finding, Located
from ovsnp.analysis.lint.ignores import apply, read_ignores
from ovsnp.analysis.lint.lint_index import LintIndex
from ovsnp.analysis.lint.registry import CHECKS
from ovsnp.yaml_reader.location import Locator
from ovsnp.yaml_reader.paths import format_path


class LintReport(msgspec.Struct, frozen=True):
    """The findings, sorted by place; ``skipped`` are the checks that need pods which the input does not have."""

    findings: tuple[Located, ...]
    ignored: tuple[Located, ...]
    skipped: tuple[str, ...]


def lint(index: LintIndex, checks: Collection[str]) -> LintReport:
    """Run the checks with these identifiers; raises InputError if a comment in a manifest is not understood."""
    ignores = read_ignores(_files(index))
    skipped = [name for name, check in CHECKS.items() if name in checks and not check.needs.met(index.cluster)]
    judged = [name for name in CHECKS if name in checks and name not in skipped]
    found = locate(findings(index, checks))
    left, ignored = apply(found, ignores, judged)
    return LintReport(tuple(sorted(left)), tuple(sorted(ignored)), tuple(skipped))


def findings(index: LintIndex, checks: Collection[str]) -> Sequence[tuple[str, Finding]]:
    """The findings of those of the checks whose pods the input has, without their lines; no comment is read."""
    return [
        (name, finding)
        for name, check in CHECKS.items()
        if name in checks and check.needs.met(index.cluster)
        for finding in check.find(index)
    ]


def _files(index: LintIndex) -> list[str]:
    """The files in which there can be findings."""
    cluster = index.cluster
    return sorted({each.place.file for objects in (cluster.policies, cluster.pods) for each in objects})


def locate(found: Iterable[tuple[str, Finding]]) -> Sequence[Located]:
    """The findings with their checks and lines; each file is read once."""
    locator = Locator()
    return [
        Located(
            locator.span(finding.place, finding.path),
            check,
            finding.subject,
            format_path(finding.path),
            finding.severity or CHECKS[check].severity,
            finding.message,
            finding.remedy,
        )
        for check, finding in sorted(found, key=lambda each: each[1].place)
    ]
