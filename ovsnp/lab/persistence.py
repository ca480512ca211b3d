"""Repeats probes until those that should connect do, or until one more try does not help."""

import itertools
from collections.abc import Sequence

from ovsnp.lab.pace import Pace
from ovsnp.lab.probes import Agents, Probe, Result

_SLOWER = 4
_SLOWEST = 64
"""The factor by which the rate falls after a try that helped, and the largest factor in all."""


def persist(agents: Agents, probes: Sequence[Probe], hoped: Sequence[bool], pace: Pace) -> list[Result]:
    """Try all probes, and repeat those that should connect (``hoped``, in the same order); give the last results.

    A machine under load is slow, never wrong, so each further try waits longer. A try that helped shows that packets
    were lost, so the next try is slower. The tries end when one with the longest wait does not help. A probe that
    connects is not repeated.
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
    # "unreachable" may only mean lost packets: the packets that resolve the next hop's address can be lost too.
    return result.outcome == "unreachable" or (hoped and not result.connected)
