"""Defects in the flows of one random cluster: whether each changes anything, and whether `verify` finds it."""

import shlex
from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from ovsnp.analysis.verification.counterexample import Counterexample, counterexample
from ovsnp.analysis.verification.proof import prove
from ovsnp.analysis.verification.simulator.reading import read_bridge
from ovsnp.analysis.verification.simulator.walk import Simulator
from ovsnp.compiler import compile_cluster, render_text
from ovsnp.model.bridge import BridgePorts
from ovsnp.model.cluster import Cluster
from ovsnp.model.options import Options
from tests.planted.defects import Planted, Planter
from tests.planted.judge import Difference, Judge, RefusedError
from tests.planted.written import read, written
from tests.support.instance import own_switch
from tests.support.random_bridges import random_bridges

DEFECTS = 4
"""Defects that are tried in one cluster."""


class Trial(NamedTuple):
    """A defect, a packet that shows it (None: none was found), and the kinds of questions by which `verify` finds it.

    ``confirmed``: a counterexample of `verify` shows the defect.
    """

    planted: Planted
    difference: Difference | None
    found: tuple[str, ...]
    confirmed: bool

    @property
    def changes(self) -> bool:
        """Whether the defect changes the outcome of some packet."""
        return self.difference is not None or self.confirmed

    @property
    def missed(self) -> bool:
        """Whether the defect changes something and `verify` says nothing."""
        return self.changes and not self.found


def trials(seed: int, defects: int = DEFECTS) -> Iterator[Trial]:
    """Try some defects in the flows of one node of a random cluster."""
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
                dead = difference is not None and difference.packet is None
                examples = counterexamples(planted, bridge)
                kinds = tuple(sorted({each.kind for each in examples}))
                confirmed = difference is None and any(judge.differs(_command(each)) for each in examples)
                yield Trial(planted, difference, kinds, confirmed)
                if dead:
                    break


def counterexamples(planted: Planted, bridge: tuple[Cluster, BridgePorts, Options]) -> list[Counterexample]:
    """The counterexamples of `verify` to the flows with the defect."""
    flows = read_bridge(written(planted.lines).splitlines())
    simulator = Simulator(flows.without_learned())
    return [counterexample(each, simulator, "") for each in prove(flows, *bridge).findings]


def _command(example: Counterexample) -> list[str]:
    """The packet as `ofproto/trace` takes it, and its options."""
    return shlex.split(example.trace)[2:]
