"""All golden cases, on every node: the flows meet what the oracle expects, and do not meet the opposite."""

from collections.abc import Iterator
from itertools import product

import pytest
from msgspec.structs import replace

from ovsnp.analysis.check.flows import BridgeFlows
from ovsnp.analysis.check.judging import Judged, JudgedExpectation, judge
from ovsnp.analysis.check.reading import Expectation, ExpectationPaths
from ovsnp.analysis.explain.reasons import Outcome
from ovsnp.analysis.naming.questions import Question, Written
from ovsnp.analysis.verification.simulator.reading import read_bridge
from ovsnp.compiler import compile_cluster, local_pods, render_text
from ovsnp.errors import Place
from ovsnp.model.cluster import Cluster
from ovsnp.model.options import Options
from ovsnp.oracle.planned import readings
from ovsnp.oracle.terms import Terms
from tests.support.golden_cases import CASES, cluster_of, options_of
from tests.support.golden_questions import OUTSIDE, asked, questions
from tests.support.traced import offline_ports

BACK_OUTSIDE = ("by the gateway, given 192.0.2.", "by the gateway, given 192.168.50.")
OPPOSITE = {Outcome.ALLOWED: Outcome.DENIED, Outcome.DENIED: Outcome.ALLOWED}


def expecting(question: Question, expected: Outcome) -> JudgedExpectation:
    ways = ExpectationPaths((), (), (), ())
    return JudgedExpectation(Expectation(Written("", ""), expected, Place(""), ways), question)


def known(cluster: Cluster, terms: Terms) -> Iterator[Judged]:
    """Questions with the oracle's answer, without the questions whose answer is mixed."""
    clients = [*(f"node/{name}" for name in cluster.nodes), *OUTSIDE]
    services = [f"svc/{service.key}" for service in cluster.services]
    written = [Written(*ends) for ends in product(clients, services)]
    every = [*questions(cluster), *(found for each in written for found in asked(cluster, each))]
    for judged in judge(readings(cluster), [expecting(each, Outcome.ALLOWED) for each in every], terms):
        if judged.outcome is not Outcome.MIXED:
            yield Judged(expecting(judged.asked.question, judged.outcome), judged.outcome, judged.outcome)


def compiled(cluster: Cluster, options: Options) -> BridgeFlows:
    ports = offline_ports(local_pods(cluster, options.node))
    lines = render_text(compile_cluster(cluster, ports, options)).splitlines()
    return BridgeFlows(read_bridge(lines), cluster, ports, options)


@pytest.mark.parametrize("case", CASES)
def test_golden_case(case: str) -> None:
    cluster = cluster_of(case)
    for node in tuple(cluster.nodes) or (None,):
        options = replace(options_of(case), node=node)
        flows = compiled(cluster, options)
        spoken = 0
        for judged in known(cluster, Terms(options.strict_nodes, options.service_blocks, node)):
            question = judged.asked.question
            told = flows.ask(judged)
            # A packet from the gateway never leaves by the gateway, to outsiders or nodes, whatever policies say.
            assert {
                miss.example.who for miss in told.misses if not miss.example.who[1].startswith(BACK_OUTSIDE)
            } == set()
            assert told.silent is not None
            spoken += len(question.connections) - told.silent
            # An allowed connection cannot fail the opposite here: for these flows, another node may deny it.
            if judged.outcome is Outcome.DENIED and not told.silent:
                opposite = OPPOSITE[judged.outcome]
                assert flows.ask(Judged(expecting(question, opposite), judged.outcome, judged.outcome)).misses
        assert spoken or not local_pods(cluster, node)
