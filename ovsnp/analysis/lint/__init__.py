"""Policies that do not do what they seem to.

A check is a function that finds something in a cluster (`LintIndex`); `ovsnp.analysis.lint.registry` has them all. What
policies mean is asked of the oracle, `ovsnp.oracle`. `lint` runs checks, finds the lines, and leaves out what comments
in the manifests ignore; `findings_text`, `github`, `sarif` and `findings_json` write the report.
"""

from ovsnp.analysis.lint.lint_index import LintIndex
from ovsnp.analysis.lint.linting import LintReport, lint
from ovsnp.analysis.lint.registry import CHECKS

__all__ = ["CHECKS", "LintIndex", "LintReport", "lint"]
