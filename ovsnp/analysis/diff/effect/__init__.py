"""Finds which connections a change of manifests gains and loses, and says so in few lines.

`comparison` finds the changed pairs of ends by their classes (`ends`, `cells`). `blocks` groups the pairs, and `lines`
puts the groups into words. `services` does the same for connections to Services.
"""

from ovsnp.analysis.diff.effect.comparison import Effect, compare

__all__ = ["Effect", "compare"]
