"""Defects in the flows of one random cluster: whether each changes anything, and whether `verify` finds it."""

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from ovsnp.compiler import compile_cluster, render_text
from ovsnp.model.bridge import Ports
from ovsnp.model.cluster import Cluster
from ovsnp.model.options import Options
from ovsnp.proof.proof import prove
from ovsnp.proof.simulator.reading import read_bridge
from tests.ovs.instance import own_switch
from tests.planted.defects import Planted, Planter
from tests.planted.judge import Difference, Judge, RefusedError
from tests.planted.written import read, written
from tests.property.test_proof import random_bridges

DEFECTS = 4
"""Defects of one cluster."""


class Trial(NamedTuple):
    """A defect, a packet with which it shows (None: none was found), and what `verify` finds."""

    planted: Planted
    difference: Difference | None
    found: tuple[str, ...]

    @property
    def missed(self) -> bool:
        """Whether the defect changes something and `verify` says nothing."""
        return self.difference is not None and not self.found


def trials(seed: int, defects: int = DEFECTS) -> Iterator[Trial]:
    """Some defects in the flows of one node."""
    random = Random(seed)
    bridge = random.choice(random_bridges(seed))
    lines = read(render_text(compile_cluster(*bridge)))
    planter, tried = Planter(lines, random), 0
    while tried < defects:
        with own_switch() as switch:
            judge = Judge(switch, bridge, lines, random)
            while tried < defects:
                planted = planter.plant()
                try:
                    difference = judge.difference(planted)
                except RefusedError:
                    continue
                tried += 1
                yield Trial(planted, difference, verified(planted, bridge))
                if difference is not None and difference.packet is None:
                    break


def verified(planted: Planted, bridge: tuple[Cluster, Ports, Options]) -> tuple[str, ...]:
    """The kinds of questions that find something."""
    report = prove(read_bridge(written(planted.lines).splitlines()), *bridge)
    return tuple(sorted({each.question.kind for each in report.findings}))
