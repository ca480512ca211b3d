"""The proof finds every defect that is planted into compiled flows, and none in the flows as they are."""

import re
from functools import lru_cache
from pathlib import Path

import pytest

from ovsnp.analysis.verification.proof import ProofReport, prove
from ovsnp.analysis.verification.simulator.reading import read_bridge
from ovsnp.compiler import assume_ports, compile_cluster, load, local_pods, render_text
from ovsnp.model.bridge import BridgePorts
from ovsnp.model.cluster import Cluster
from ovsnp.model.options import Options
from tests.unit.analysis.verification.defects import BLOCKS, DEFECTS, MASQUERADED, PLAIN, STRICT, VXLAN, Defect

ALL_OPTIONS = {"plain": PLAIN, "vxlan": VXLAN, "masquerade": MASQUERADED, "blocks": BLOCKS, "strict": STRICT}


@lru_cache
def cluster() -> tuple[Cluster, BridgePorts]:
    found = load([str(Path(__file__).parent / "cluster.yaml")])
    return found, assume_ports(local_pods(found, "node-1"))


@lru_cache
def compiled(name: str) -> str:
    return render_text(compile_cluster(*cluster(), ALL_OPTIONS[name]))


def verified(text: str, options: Options) -> ProofReport:
    return prove(read_bridge(text.splitlines()), *cluster(), options)


@pytest.mark.parametrize("name", ALL_OPTIONS)
def test_nothing_is_found_where_nothing_is_wrong(name: str) -> None:
    report = verified(compiled(name), ALL_OPTIONS[name])
    assert [(each.question.kind, each.fault.what) for each in report.findings] == []
    assert report.classes > 1_000_000


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: re.sub(r"\W+", "-", defect.name))
def test_a_defect_is_found(defect: Defect) -> None:
    (name,) = (name for name, options in ALL_OPTIONS.items() if options is defect.options)
    report = verified(defect.planted(compiled(name)), defect.options)
    assert defect.kind in {each.question.kind for each in report.findings}


def test_there_are_many_kinds() -> None:
    assert len({defect.name for defect in DEFECTS}) == len(DEFECTS) > 100
