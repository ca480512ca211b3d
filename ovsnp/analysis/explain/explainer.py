"""Asks the oracle about many connections: the outcome of all, and the reasons of as few as are needed."""

from functools import cached_property

import msgspec

from ovsnp.analysis.explain.reasons import Explanation, Outcome, explain_connection, outcome
from ovsnp.analysis.naming.ends import ClusterIPEnd
from ovsnp.analysis.naming.questions import Connection, Question
from ovsnp.model.cluster import Cluster
from ovsnp.oracle import Traffic, judge, judge_service
from ovsnp.oracle.indexed_oracle import IndexedOracle
from ovsnp.oracle.terms import Terms

_OUTCOMES = {True: Outcome.ALLOWED, False: Outcome.DENIED}


class Explainer:
    """Answers about one cluster."""

    def __init__(self, cluster: Cluster, terms: Terms) -> None:
        self._cluster, self._terms = cluster, terms

    @cached_property
    def _oracle(self) -> IndexedOracle:
        return IndexedOracle(self._cluster)

    def outcome(self, connection: Connection) -> Outcome:
        """The outcome of a connection; through a Service, the outcome of all backends that the Service may choose."""
        source, destination, traffic = connection.source, connection.destination, connection.traffic
        terms = self._terms
        if isinstance(destination, ClusterIPEnd):
            verdicts = judge_service(
                self._oracle,
                source,
                destination.address,
                traffic,
                entry=terms.entry,
                strict_nodes=terms.strict_nodes,
                service_blocks=terms.service_blocks,
            )
            return outcome([_OUTCOMES[verdict.allowed] for verdict in verdicts.values()])
        return _OUTCOMES[judge(self._oracle, source, destination, traffic, strict_nodes=terms.strict_nodes).allowed]

    def answers(self, question: Question) -> tuple[Explanation, ...]:
        """The reasons of every connection; for several pods, only of the first connection for each port and outcome."""
        if not question.several:
            return tuple(
                explain_connection(self._cluster, connection, self._terms) for connection in question.connections
            )
        found: dict[tuple[Traffic, Outcome], list[Connection]] = {}
        asked: dict[Traffic, int] = {}
        for connection in question.connections:
            found.setdefault((connection.traffic, self.outcome(connection)), []).append(connection)
            asked[connection.traffic] = asked.get(connection.traffic, 0) + 1
        return tuple(
            msgspec.structs.replace(
                explain_connection(self._cluster, alike[0], self._terms), alike=len(alike), asked=asked[traffic]
            )
            for (traffic, _), alike in sorted(found.items(), key=lambda each: [*asked].index(each[0][0]))
        )
