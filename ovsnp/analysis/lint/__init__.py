"""Policies that do not do what they seem to.

A check is a function that finds something in a cluster (`Scene`); `ovsnp.analysis.lint.registry` has them all. What
policies mean is asked of the oracle, `ovsnp.oracle`. `lint` runs checks, finds the lines, and leaves out what comments
in the manifests ignore; `findings_text`, `github`, `sarif` and `findings_json` write the report.
"""

from ovsnp.analysis.lint.linting import Report, lint
from ovsnp.analysis.lint.registry import CHECKS
from ovsnp.analysis.lint.scene import Scene

__all__ = ["CHECKS", "Report", "Scene", "lint"]
