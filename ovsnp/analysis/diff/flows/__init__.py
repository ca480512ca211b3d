"""What `apply` would change on a bridge, flow by flow, for people and for programs."""

from ovsnp.analysis.diff.flows.differences import Differences, differences

__all__ = ["Differences", "differences"]
