"""All golden cases: `check`, with the prepared oracle, and `explain_connection` agree."""

import pytest

from ovsnp.analysis.check.judging import JudgedExpectation, judge
from ovsnp.analysis.check.reading import Expectation, ExpectationPaths
from ovsnp.analysis.explain.reasons import Outcome, explain_connection, outcome
from ovsnp.analysis.naming.questions import Written
from ovsnp.cli.settings_file import read_mapping
from ovsnp.errors import Place
from ovsnp.manifests import load
from ovsnp.oracle.planned import readings
from ovsnp.oracle.terms import Terms
from tests.support.golden_cases import CASES, GOLDEN
from tests.support.golden_questions import questions

NOWHERE = ExpectationPaths((), (), (), ())


@pytest.mark.parametrize("case", CASES)
def test_golden_case(case: str) -> None:
    written = read_mapping(GOLDEN / case / "ovsnp.yaml")
    cluster = load([str(GOLDEN / case / name) for name in written["manifests"]])
    entry = next(iter(cluster.nodes), None)
    expectation = Expectation(Written("", ""), Outcome.ALLOWED, Place(""), NOWHERE)
    asked = [JudgedExpectation(expectation, question) for question in questions(cluster)]
    assert asked
    for terms in (Terms(), Terms(strict_nodes=True, entry=entry), Terms(service_blocks=True)):
        for judged in judge(readings(cluster), asked, terms):
            answers = [
                explain_connection(cluster, connection, terms) for connection in judged.asked.question.connections
            ]
            assert judged.outcome is outcome([answer.outcome for answer in answers])
            assert bool(judged.answers) is (judged.outcome is not Outcome.ALLOWED)
