"""Probes tried until those that are to connect do, or until one more try is in vain."""

import itertools
from collections.abc import Sequence

from ovsnp.lab.pace import Pace
from ovsnp.lab.probes import Agents, Probe, Result

_SLOWER = 4
_SLOWEST = 64
"""By how much the rate falls after a try that helped, and by how much in all."""


def persist(agents: Agents, probes: Sequence[Probe], hoped: Sequence[bool], pace: Pace) -> list[Result]:
    """Try all probes, and those that are to connect (``hoped``, in the same order) until they do; the last results.

    A machine under load is slow, never wrong: each further try has more patience, and after one that helped, packets
    are known to be lost, and the next one is slower. The tries end when the most patient helps no more. What connects
    is believed at once.
    """
    results: dict[int, Result] = {}
    wanting = list(range(len(probes)))
    rate = pace.rate
    for number in itertools.count():
        patience = pace.tries[min(number, len(pace.tries) - 1)]
        results |= zip(wanting, agents.run([probes[index] for index in wanting], patience, rate), strict=True)
        lost = [index for index in wanting if _is_lost(results[index], hoped[index])]
        helped = number > 0 and len(lost) < len(wanting)
        if not lost or (number + 1 >= len(pace.tries) and not helped):
            break
        if helped:
            rate = max(rate / _SLOWER, pace.rate / _SLOWEST)
        wanting = lost
    return [results[index] for index in range(len(probes))]


def _is_lost(result: Result, hoped: bool) -> bool:
    # Who is at the next hop's address is asked by packets, too, which are lost as others are.
    return result.outcome == "unreachable" or (hoped and not result.connected)
