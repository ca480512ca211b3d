"""Policies that do not do what they seem to.

A check is a function that finds something in a cluster (`Scene`); `ovsnp.lint.registry` has them all. What policies
mean is asked of the oracle, `ovsnp.verify`. `lint` runs checks, finds the lines, and leaves out what comments in the
manifests ignore; `text`, `github`, `sarif` and `json` write the report.
"""

from ovsnp.lint.linting import Report, lint
from ovsnp.lint.registry import CHECKS
from ovsnp.lint.scene import Scene

__all__ = ["CHECKS", "Report", "Scene", "lint"]
