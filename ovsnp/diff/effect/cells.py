"""Which pairs of ends gain and lose which traffic."""

from collections.abc import Mapping, Sequence

import msgspec

from ovsnp.diff.effect.ends import Family
from ovsnp.diff.effect.sides import Row, Sides
from ovsnp.model.policy import Direction
from ovsnp.verify.classes import TrafficClass
from ovsnp.verify.prepared import Prepared

Cells = Mapping[int, Mapping[int, int]]
"""By source, then by destination: traffic as bits, never 0."""


class Changed(msgspec.Struct, frozen=True):
    """What pairs of ends of one family gain and lose. What a policy says of a pod to itself is here too."""

    gained: Cells
    lost: Cells


class Judged:
    """What every pair of ends of one cluster may open."""

    def __init__(self, prepared: Prepared, family: Family, traffic: Sequence[TrafficClass]) -> None:
        sides = Sides(prepared, family, traffic)
        self._egress = sides.rows(Direction.EGRESS)
        # By source: what each destination lets in.
        self._ingress: list[Row] = list(zip(*sides.rows(Direction.INGRESS), strict=True))

    def of(self, source: int) -> tuple[Row, Row]:
        """What one source may send to each destination, and what each destination lets in of it."""
        return self._egress[source], self._ingress[source]

    def allowed(self, source: int, destination: int) -> int:
        """The traffic that both sides admit."""
        return self._egress[source][destination] & self._ingress[source][destination]


def changed(old: Judged, new: Judged, family: Family, asked: int) -> Changed:
    """Compare all pairs; ``asked`` is the traffic that counts, as bits."""
    gained: dict[int, dict[int, int]] = {}
    lost: dict[int, dict[int, int]] = {}
    for source in range(len(family.ends)):
        before, after = old.of(source), new.of(source)
        if before == after:
            continue
        for destination, (was_out, was_in, out, let_in) in enumerate(zip(*before, *after, strict=True)):
            was, now = was_out & was_in, out & let_in
            if was != now:
                if more := now & ~was & asked:
                    gained.setdefault(source, {})[destination] = more
                if less := was & ~now & asked:
                    lost.setdefault(source, {})[destination] = less
    return Changed(gained, lost)
