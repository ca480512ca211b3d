"""Finds policies that do not have the effect that they seem to have.

A check is a function from a cluster (`LintIndex`) to findings; `ovsnp.analysis.lint.registry` has all checks. The
oracle, `ovsnp.oracle`, says what policies mean. `lint` runs checks, finds the lines of the findings, and leaves out
findings that comments in the manifests ignore; `findings_text`, `github`, `sarif` and `findings_json` write the report.
"""

from ovsnp.analysis.lint.lint_index import LintIndex
from ovsnp.analysis.lint.linting import LintReport, lint
from ovsnp.analysis.lint.registry import CHECKS

__all__ = ["CHECKS", "LintIndex", "LintReport", "lint"]
