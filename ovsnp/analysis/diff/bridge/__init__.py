"""Which connections `apply` makes possible on a bridge, and which it ends, in as few lines as say it."""

from ovsnp.analysis.diff.bridge.comparison import compare_bridge

__all__ = ["compare_bridge"]
