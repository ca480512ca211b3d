"""Checks that every conjunction is whole, as Open vSwitch needs it."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from ovsnp.errors import DeclarationError
from ovsnp.flows.action import Conjunction
from ovsnp.flows.flow import Flow
from ovsnp.pipeline.fields import CONJ_ID
from ovsnp.pipeline.tables import TABLES

_Id = tuple[str, int]
"""The table and the number of a conjunction."""

CONJUNCTIVE = frozenset(table.name for table in TABLES if table.conjunctive)
"""The tables that may have conjunctions."""


class Conjunctions:
    """The clauses of all conjunctions in the flows of these tables.

    A conjunction is whole if all of its clauses have one priority in one table, and a flow of this table matches its
    ``conj_id``.
    """

    def __init__(self) -> None:
        self._clauses: dict[_Id, Counter[tuple[int, int, int]]] = defaultdict(Counter)
        self._ends: Counter[_Id] = Counter()
        self._touched: set[_Id] = set()

    def replace(self, before: Flow | None, after: Flow | None) -> None:
        """Replace the flow of a slot (None: there is none); only conjunctions in which the two differ are checked."""
        went, came = (frozenset(_clauses(flow)) if flow else frozenset() for flow in (before, after))
        for clauses, count in ((went - came, -1), (came - went, 1)):
            for number, clause in clauses:
                self._clauses[number][clause] += count
                self._touched.add(number)
        for flow, count in ((before, -1), (after, 1)):
            for number in _ends(flow) if flow else ():
                self._ends[number] += count
                self._touched.add(number)

    def check(self) -> None:
        """Raises DeclarationError if a conjunction whose flows changed since the last check is not whole."""
        touched, self._touched = self._touched, set()
        for number in sorted(touched):
            clauses, ends = +self._clauses.pop(number, Counter()), self._ends.pop(number, 0)
            if not clauses and not ends:
                continue
            if not clauses:
                raise DeclarationError("a conj_id has no conjunction")
            self._clauses[number], self._ends[number] = clauses, ends
            if not ends or not _is_whole(set(clauses)):
                raise DeclarationError(f"conjunction {number[1]} in {number[0]} is not whole")


def _is_whole(clauses: set[tuple[int, int, int]]) -> bool:
    priority, _, total = next(iter(clauses))
    return clauses == {(priority, clause, total) for clause in range(1, total + 1)}


def _clauses(flow: Flow) -> Iterator[tuple[_Id, tuple[int, int, int]]]:
    for action in flow.actions:
        if isinstance(action, Conjunction):
            yield (flow.table, action.id), (flow.priority, action.clause, action.clauses)


def _ends(flow: Flow) -> Iterator[_Id]:
    for term in flow.match.terms:
        if term.field is CONJ_ID:
            yield flow.table, term.value
