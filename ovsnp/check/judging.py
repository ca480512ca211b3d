"""What the oracle says of expectations."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

import msgspec

from ovsnp.check.reading import Expectation
from ovsnp.errors import UsageError
from ovsnp.explain.ends import ClusterIPEnd, read_destination, read_source
from ovsnp.explain.ports import PORTLESS, read_port
from ovsnp.explain.questions import Connection, Question, read_question
from ovsnp.explain.reasons import Answer, Outcome, Terms, explain, outcome
from ovsnp.manifests.paths import Fault, Path
from ovsnp.manifests.report import Report
from ovsnp.model.address import Prefix
from ovsnp.model.cluster import Cluster
from ovsnp.proof.counterexample import Counterexample
from ovsnp.verify.planned import Readings
from ovsnp.verify.prepared import Prepared

_OUTCOMES = {True: Outcome.ALLOWED, False: Outcome.DENIED}


class Asked(msgspec.Struct, frozen=True):
    """An expectation, and the connections that it is about."""

    expectation: Expectation
    question: Question


class Miss(msgspec.Struct, frozen=True):
    """A packet with which flows do otherwise than expected, and the table of the last flow it meets."""

    example: Counterexample
    table: str


class Judged(msgspec.Struct, frozen=True):
    """What becomes of all connections of an expectation, and the reasons: an answer for each, if it is not met.

    With ``possible`` the connections may become this, if blocks hold pods that have no address yet.
    ``misses`` are packets with which flows do not as expected, ``silent`` how many of the connections the flows have no
    say in; None where no flows were asked.
    """

    asked: Asked
    outcome: Outcome
    possible: Outcome
    answers: tuple[Answer, ...] = ()
    misses: tuple[Miss, ...] = ()
    silent: int | None = None

    @property
    def granted(self) -> bool:
        """Whether the policies have every connection as expected, whatever addresses pods are yet to get."""
        return self.outcome is self.possible is self.asked.expectation.expected

    @property
    def met(self) -> bool:
        """Whether every connection is as expected, by the policies and by the flows that were asked."""
        return self.granted and not self.misses


def ask(
    cluster: Cluster, expectations: Iterable[Expectation], report: Report, service_cidrs: Sequence[Prefix] = ()
) -> list[Asked]:
    """The connections that each expectation is about; ends and ports that are nobody's go to the report.

    ``service_cidrs`` are those that the cluster's own objects do not tell.
    """
    found: list[Asked] = []
    for each in expectations:
        try:
            found.append(Asked(each, read_question(cluster, each.written, service_cidrs)))
        except UsageError as error:
            report.begin(each.place, None)
            for path, message in _faults(cluster, each, service_cidrs) or [Fault(each.ways.entry, str(error))]:
                report.add(path, message)
    return found


def _faults(cluster: Cluster, each: Expectation, service_cidrs: Sequence[Prefix]) -> list[Fault]:
    """What is wrong with each part by itself; none where only the parts together make no question."""
    written, ways = each.written, each.ways
    readings: tuple[tuple[Path, Callable[[], object]], ...] = (
        (ways.source, lambda: read_source(cluster, written.source, service_cidrs)),
        (ways.destination, lambda: read_destination(cluster, written.destination, service_cidrs)),
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
    """Flows that are asked too."""

    def ask(self, judged: Judged) -> Judged:
        """The same with what the flows do otherwise."""
        ...


def judge(readings: Readings, asked: Iterable[Asked], terms: Terms, flows: Flows | None = None) -> Iterator[Judged]:
    """The oracle's verdicts, with the reasons of those that are not as expected: they take longer to find."""
    certain, possible = map(Prepared, readings)
    for each in asked:
        connections = each.question.connections
        now, then = (
            outcome([_outcome(oracle, connection, terms) for connection in connections])
            for oracle in (certain, possible)
        )
        judged = Judged(each, now, then)
        judged = flows.ask(judged) if flows else judged
        if not judged.met:
            cluster = readings.certain if judged.outcome is not each.expectation.expected else readings.possible
            answers = tuple(explain(cluster, connection, terms) for connection in connections)
            judged = msgspec.structs.replace(judged, answers=answers)
        yield judged


def _outcome(oracle: Prepared, connection: Connection, terms: Terms) -> Outcome:
    """What becomes of a connection, through a Service to every backend that it may be given."""
    source, destination, traffic = connection.source, connection.destination, connection.traffic
    if isinstance(destination, ClusterIPEnd):
        verdicts = oracle.judge_service(
            source,
            destination.address,
            traffic,
            entry=terms.entry,
            strict_nodes=terms.strict_nodes,
            service_blocks=terms.service_blocks,
        )
        return outcome([_OUTCOMES[verdict.allowed] for verdict in verdicts.values()])
    return _OUTCOMES[oracle.judge(source, destination, traffic, strict_nodes=terms.strict_nodes).allowed]
