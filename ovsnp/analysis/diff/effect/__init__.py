"""Which connections a change of manifests gains and loses, in as few lines as say it."""

from ovsnp.analysis.diff.effect.comparison import Effect, compare

__all__ = ["Effect", "compare"]
