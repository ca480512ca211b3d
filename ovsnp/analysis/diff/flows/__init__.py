"""The changes that `apply` would make on a bridge, flow by flow, as text and as JSON."""

from ovsnp.analysis.diff.flows.differences import Differences, differences

__all__ = ["Differences", "differences"]
