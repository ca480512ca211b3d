"""Pass 4: from one node's bridge and clauses to flows, with a module for each stage of the pipeline."""

from ovsnp.lower.lowerer import Lowerer

__all__ = ["Lowerer"]
