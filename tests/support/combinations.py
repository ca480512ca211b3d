"""Few combinations of parameters instead of all: a covering array."""

import itertools
from collections.abc import Iterable
from typing import Any


def covering(*parameters: Iterable[Any], strength: int = 2) -> list[tuple[Any, ...]]:
    """Combinations in which all values of any two parameters meet, or of any ``strength`` parameters.

    Each combination has one value of each parameter, in their order. The result is the same in every call. Most
    errors come from one value or from two that meet, and few combinations find them (D. R. Kuhn, R. N. Kacker and
    Y. Lei, "Practical Combinatorial Testing", NIST Special Publication 800-142).
    """
    everything = list(itertools.product(*parameters))
    missing = {met for one in everything for met in _met(one, strength)}
    chosen = []
    while missing:
        best = max(everything, key=lambda one: len(missing.intersection(_met(one, strength))))
        missing.difference_update(_met(best, strength))
        chosen.append(best)
    return sorted(chosen, key=everything.index)


def _met(combination: tuple[Any, ...], strength: int) -> list[Any]:
    """The values that meet, with the positions of their parameters."""
    return list(itertools.combinations(enumerate(combination), strength))
