"""How hard a lab is tried."""

from collections.abc import Sequence
from itertools import pairwise
from random import Random
from typing import TypeVar

import msgspec

RATE = 4000.0
"""What one thread of Open vSwitch's userspace datapath keeps up with."""

PATIENCE = 1.3

_AGAIN = (1.0, 2.3, 6.2, 15.4)
"""The kernel repeats a SYN after 1, 3, 7 and 15 seconds. On a processor that does other things too a third of the
probes have needed the second try, and a few the third."""

Item = TypeVar("Item")


class Pace(msgspec.Struct, frozen=True):
    """``rate`` probes are begun in a second, all hosts together; the first try of each waits ``patience`` seconds for
    its answer; ``sample`` is how many are tried of all there are, None for all."""

    rate: float = RATE
    patience: float = PATIENCE
    sample: int | None = None

    @property
    def tries(self) -> Sequence[float]:
        """Seconds after which a probe counts as unanswered, first and when tried again."""
        return [self.patience * longer for longer in _AGAIN]

    def of(self, everything: Sequence[Item]) -> Sequence[Item]:
        """What is tried of all there is: one of each of so many stretches of the same length, the same each time."""
        count = len(everything)
        if self.sample is None or self.sample >= count:
            return everything
        # At even distances it would be the same port each time.
        choice = Random(0)
        starts = [count * number // self.sample for number in range(self.sample + 1)]
        return [everything[choice.randrange(*bounds)] for bounds in pairwise(starts)]
