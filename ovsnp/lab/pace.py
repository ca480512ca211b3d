"""The pace of probes: how many a second, how long they wait, and how many are tried."""

from collections.abc import Sequence
from itertools import pairwise
from random import Random
from typing import TypeVar

import msgspec

RATE = 4000.0
"""Probes a second that one thread of Open vSwitch's userspace datapath can forward."""

PATIENCE = 1.3

_AGAIN = (1.0, 2.3, 6.2, 15.4)
"""The patience of each try, as a multiple of the first. The kernel repeats a SYN after 1, 3, 7 and 15 seconds. On a
processor that does other work too, a third of the probes needed the second try, and a few the third."""

Item = TypeVar("Item")


class Pace(msgspec.Struct, frozen=True):
    """How probes are sent.

    ``rate`` is the number of probes a second, over all hosts together. The first try of a probe waits ``patience``
    seconds for the answer. ``sample`` is how many probes are tried; None for all.
    """

    rate: float = RATE
    patience: float = PATIENCE
    sample: int | None = None

    @property
    def tries(self) -> Sequence[float]:
        """Seconds after which a probe counts as unanswered, for the first try and each later one."""
        return [self.patience * longer for longer in _AGAIN]

    def of(self, everything: Sequence[Item]) -> Sequence[Item]:
        """The items to try: all, or one from each of ``sample`` stretches of equal length; the same in every call."""
        count = len(everything)
        if self.sample is None or self.sample >= count:
            return everything
        # Items at even distances could all have the same port.
        choice = Random(0)
        starts = [count * number // self.sample for number in range(self.sample + 1)]
        return [everything[choice.randrange(*bounds)] for bounds in pairwise(starts)]
