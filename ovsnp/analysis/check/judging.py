"""Compares the oracle's verdicts with expectations."""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import msgspec

from ovsnp.analysis.check.reading import Expectation
from ovsnp.analysis.explain.explainer import Explainer
from ovsnp.analysis.explain.reasons import Explanation, Outcome, outcome
from ovsnp.analysis.naming.ports import read_port
from ovsnp.analysis.naming.questions import Question, read_question
from ovsnp.analysis.naming.roster import Roster
from ovsnp.analysis.verification.counterexample import Counterexample
from ovsnp.analysis.wording.ports import PORTLESS
from ovsnp.errors import UsageError
from ovsnp.oracle.planned import Readings
from ovsnp.oracle.terms import Terms
from ovsnp.yaml_reader.paths import Fault, Path
from ovsnp.yaml_reader.report import MistakeReport


class JudgedExpectation(msgspec.Struct, frozen=True):
    """An expectation, and the connections that it names."""

    expectation: Expectation
    question: Question


class FlowMiss(msgspec.Struct, frozen=True):
    """A packet that flows treat otherwise than expected, and the table of the last flow that it meets."""

    example: Counterexample
    table: str


class Judged(msgspec.Struct, frozen=True):
    """An expectation with the outcome of its connections; if it is not met, ``answers`` explain the connections.

    ``possible`` is the outcome if the policies' blocks hold pods that have no address yet. ``misses`` are packets that
    flows treat otherwise than expected. ``silent`` is the number of connections that the flows do not decide; None
    where there are no flows to compare.
    """

    asked: JudgedExpectation
    outcome: Outcome
    possible: Outcome
    answers: tuple[Explanation, ...] = ()
    misses: tuple[FlowMiss, ...] = ()
    silent: int | None = None

    @property
    def granted(self) -> bool:
        """True if the policies treat every connection as expected, whatever addresses pods get later."""
        return self.outcome is self.possible is self.asked.expectation.expected

    @property
    def met(self) -> bool:
        """True if the policies, and the flows if there are any, treat every connection as expected."""
        return self.granted and not self.misses


def ask(roster: Roster, expectations: Iterable[Expectation], report: MistakeReport) -> list[JudgedExpectation]:
    """The expectations with their connections; ends and ports that do not exist go to the report."""
    found: list[JudgedExpectation] = []
    for each in expectations:
        try:
            found.append(JudgedExpectation(each, read_question(roster, each.written)))
        except UsageError as error:
            report.begin(each.place, None)
            for path, message in _faults(roster, each) or [Fault(each.ways.entry, str(error))]:
                report.add(path, message)
    return found


def _faults(roster: Roster, each: Expectation) -> list[Fault]:
    """The faults of single parts; none where only the combination of the parts is wrong."""
    written, ways = each.written, each.ways
    readings: tuple[tuple[Path, Callable[[], object]], ...] = (
        (ways.source, lambda: roster.source(written.source)),
        (ways.destination, lambda: roster.destination(written.destination)),
        (ways.port, lambda: None if written.port in (None, PORTLESS) else read_port(written.port)),
    )
    found: list[Fault] = []
    for path, read in readings:
        try:
            read()
        except UsageError as error:
            found.append(Fault(path, str(error)))
    return found


class Flows(Protocol):
    """Flows to compare with expectations too."""

    def ask(self, judged: Judged) -> Judged:
        """Add the packets that the flows treat otherwise than expected."""
        ...


def judge(
    readings: Readings, asked: Iterable[JudgedExpectation], terms: Terms, flows: Flows | None = None
) -> Iterator[Judged]:
    """The oracle's verdicts, with the reasons only of those that are not as expected: reasons take longer to find."""
    certain = possible = Explainer(readings.certain, terms)
    if readings.possible is not readings.certain:
        possible = Explainer(readings.possible, terms)
    for each in asked:
        connections = each.question.connections
        now = then = outcome([*map(certain.outcome, connections)])
        if possible is not certain:
            then = outcome([*map(possible.outcome, connections)])
        judged = Judged(each, now, then)
        judged = flows.ask(judged) if flows else judged
        if not judged.met:
            telling = certain if judged.outcome is not each.expectation.expected else possible
            answers = telling.answers(each.question)
            judged = msgspec.structs.replace(judged, answers=answers)
        yield judged
