"""Finds the packets that meet all clauses of a conjunctive match (ovs-fields(7), "Conjunctive Match Fields")."""

from collections import defaultdict
from collections.abc import Iterable

from ovsnp.analysis.verification.simulator.reading import ReadFlow
from ovsnp.analysis.verification.simulator.space import Sets, meet, merged


class ConjunctionClauses:
    """The packets of each clause of a conjunctive match at one priority; ``totals``: its flows' counts of clauses."""

    def __init__(self) -> None:
        self.totals: set[int] = set()
        self._by_clause: dict[int, list[Sets]] = defaultdict(list)

    def add(self, clause: int, packets: Sets) -> None:
        """Add a flow of a clause, by the packets that the flow matches."""
        self._by_clause[clause].append(packets)

    def whole(self) -> Iterable[Sets]:
        """The packets that meet every clause, of the smallest of ``totals``."""
        products = merged(self._by_clause[1])
        for clause in range(2, min(self.totals) + 1):
            others = merged(self._by_clause[clause])
            products = [both for one in products for two in others if (both := meet(one, two))]
        return products


def conjunctions_of(clauses: Iterable[tuple[ReadFlow, Sets]]) -> dict[int, ConjunctionClauses]:
    """The conjunctive matches by id, from flows and the packets that each flow matches."""
    found: dict[int, ConjunctionClauses] = defaultdict(ConjunctionClauses)
    for flow, packets in clauses:
        for conjunction in flow.conjunctions:
            found[conjunction.id].totals.add(conjunction.clauses)
            found[conjunction.id].add(conjunction.clause, packets)
    return found
