"""Pass 4: one node's bridge and clauses to flows, one module a stage of the pipeline."""

from ovsnp.lower.lowerer import Lowerer

__all__ = ["Lowerer"]
