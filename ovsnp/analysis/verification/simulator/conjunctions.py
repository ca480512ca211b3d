"""Which packets meet all clauses of a conjunctive match (ovs-fields(7), "Conjunctive Match Fields")."""

from collections import defaultdict
from collections.abc import Iterable

from ovsnp.analysis.verification.simulator.reading import ReadFlow
from ovsnp.analysis.verification.simulator.space import Sets, meet, merged


class ConjunctionClauses:
    """The clauses of one number that packets of a priority meet, and how many clauses the flows say it has."""

    def __init__(self) -> None:
        self.totals: set[int] = set()
        self._by_clause: dict[int, list[Sets]] = defaultdict(list)

    def add(self, clause: int, packets: Sets) -> None:
        """A flow that is such a clause, and the packets that it matches."""
        self._by_clause[clause].append(packets)

    def whole(self) -> Iterable[Sets]:
        """Packets that meet every clause."""
        products = merged(self._by_clause[1])
        for clause in range(2, min(self.totals) + 1):
            others = merged(self._by_clause[clause])
            products = [both for one in products for two in others if (both := meet(one, two))]
        return products


def conjunctions_of(clauses: Iterable[tuple[ReadFlow, Sets]]) -> dict[int, ConjunctionClauses]:
    """The conjunctions, by number, of flows with the packets that each matches."""
    found: dict[int, ConjunctionClauses] = defaultdict(ConjunctionClauses)
    for flow, packets in clauses:
        for conjunction in flow.conjunctions:
            found[conjunction.id].totals.add(conjunction.clauses)
            found[conjunction.id].add(conjunction.clause, packets)
    return found
