"""Random clusters: `verify` finds no fault in compiled flows, and finds a flow that admits too much."""

import os
import re

import pytest

from ovsnp.analysis.verification.proof import ProofReport, prove
from ovsnp.analysis.verification.simulator.reading import read_bridge
from ovsnp.compiler import compile_cluster, render_text
from ovsnp.model.bridge import BridgePorts
from ovsnp.model.cluster import Cluster
from ovsnp.model.options import Options
from tests.support.random_bridges import random_bridges

CLUSTERS = int(os.environ.get("OVSNP_CLUSTERS", "24"))


def verified(text: str, bridge: tuple[Cluster, BridgePorts, Options]) -> ProofReport:
    return prove(read_bridge(text.splitlines()), *bridge)


@pytest.mark.parametrize("seed", range(CLUSTERS))
def test_nothing_is_found_in_what_compiles(seed: int) -> None:
    for bridge in random_bridges(seed):
        report = verified(render_text(compile_cluster(*bridge)), bridge)
        assert [(each.question.kind, each.fault.what) for each in report.findings] == []


@pytest.mark.parametrize("seed", range(min(CLUSTERS, 60)))
def test_a_pod_that_lost_its_isolation_is_found(seed: int) -> None:
    """The last flow of an isolated subject admits instead of dropping: a fault, unless a rule admits everything."""
    for bridge in random_bridges(seed):
        text = render_text(compile_cluster(*bridge))
        ends = re.findall(r"table=150,priority=100,reg2=(\w+) actions=drop", text)
        for subject in ends:
            end = rf"(table=150,priority=100,reg2={subject} actions=)drop"
            let_in = re.sub(end, r"\1set_field:0->reg6,goto_table:160", text)
            assert bool(verified(let_in, bridge).findings) != everyone_may(text, subject)


def everyone_may(text: str, subject: str) -> bool:
    """True if a rule without peers and ports, which is a plain flow, admits everything to a subject."""
    return bool(re.search(rf"table=150,priority=250,reg2={subject} actions=", text))
