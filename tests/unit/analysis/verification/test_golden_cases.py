"""The proof finds no fault in the golden cases, on any node."""

import pytest
from msgspec.structs import replace

from ovsnp.analysis.verification.proof import prove
from ovsnp.analysis.verification.simulator.reading import read_bridge
from ovsnp.compiler import compile_cluster, local_pods, render_text
from tests.support.golden_cases import CASES, cluster_of, options_of
from tests.support.traced import offline_ports


@pytest.mark.parametrize("case", CASES)
def test_nothing_is_found(case: str) -> None:
    cluster = cluster_of(case)
    for node in tuple(cluster.nodes) or (None,):
        options = replace(options_of(case), node=node)
        ports = offline_ports(local_pods(cluster, node))
        text = render_text(compile_cluster(cluster, ports, options))
        report = prove(read_bridge(text.splitlines()), cluster, ports, options)
        assert [(each.question.kind, each.fault.what) for each in report.findings] == []
