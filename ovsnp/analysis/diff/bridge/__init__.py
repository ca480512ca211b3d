"""Finds which connections `apply` makes possible on a bridge and which it ends, and says so in few lines.

The simulator of `verification` says what the flows of the bridge let pass, the oracle what the policies allow.
"""

from ovsnp.analysis.diff.bridge.comparison import compare_bridge

__all__ = ["compare_bridge"]
