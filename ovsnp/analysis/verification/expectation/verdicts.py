"""Verdicts on sets of packets: which packets must pass, and which must be dropped.

Both answers are products of packets. Packets in neither may pass or be dropped.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple
from typing import Protocol as Shape

from ovsnp.analysis.verification.simulator.space import Sets, meet, narrowed, without


class Verdicts(Shape):
    """Says which packets must be dropped and which must pass; other packets may do either."""

    def must_drop(self, sets: Sets) -> Iterator[Sets]:
        """The packets of a set that must be dropped."""
        ...

    def must_pass(self, sets: Sets) -> Iterator[Sets]:
        """The packets of a set that must pass."""
        ...


class AllDropped:
    """Every packet must be dropped."""

    def must_drop(self, sets: Sets) -> Iterator[Sets]:
        """All packets of the set."""
        yield sets

    def must_pass(self, sets: Sets) -> Iterator[Sets]:
        """No packets."""
        yield from ()


class AllPass:
    """Every packet must pass."""

    def must_drop(self, sets: Sets) -> Iterator[Sets]:
        """No packets."""
        yield from ()

    def must_pass(self, sets: Sets) -> Iterator[Sets]:
        """All packets of the set."""
        yield sets


class AllOpen:
    """Every packet may pass or be dropped."""

    def must_drop(self, sets: Sets) -> Iterator[Sets]:
        """No packets."""
        yield from ()

    def must_pass(self, sets: Sets) -> Iterator[Sets]:
        """No packets."""
        yield from ()


class Row(NamedTuple):
    """The verdicts for some elements of the dimension of rows (as bits): the columns, as bits, by the allowed traffic.

    Packets of ``open`` columns may pass or be dropped, for example because nobody has the address.
    """

    elements: int
    columns: Mapping[int, int]
    open: int = 0


class VerdictTable:
    """Verdicts by row, column and traffic, each a dimension."""

    def __init__(self, dimensions: tuple[int, int, int], rows: Sequence[Row]) -> None:
        self._row, self._column, self._traffic = dimensions
        self._rows = rows

    def must_drop(self, sets: Sets) -> Iterator[Sets]:
        """The packets whose traffic their row does not allow for their column."""
        yield from self._where(sets, wanted=False)

    def must_pass(self, sets: Sets) -> Iterator[Sets]:
        """The packets whose traffic their row allows for their column."""
        yield from self._where(sets, wanted=True)

    def _where(self, sets: Sets, *, wanted: bool) -> Iterator[Sets]:
        columns, traffic = sets[self._column], sets[self._traffic]
        for row in self._rows:
            elements, judged = sets[self._row] & row.elements, columns & ~row.open
            for allowed, those in row.columns.items() if elements and judged else ():
                cells = traffic & allowed if wanted else traffic & ~allowed
                if cells and (met := those & judged):
                    found = narrowed(narrowed(sets, self._row, elements), self._column, met)
                    yield narrowed(found, self._traffic, cells)


class Cases:
    """Verdicts for parts of the packets; packets in no part may do either: another question asks about them."""

    def __init__(self, *parts: tuple[Sets, Verdicts]) -> None:
        self._parts = parts

    def must_drop(self, sets: Sets) -> Iterator[Sets]:
        """The packets that must be dropped by the verdicts of their part."""
        for part, verdicts in self._parts:
            if both := meet(sets, part):
                yield from verdicts.must_drop(both)

    def must_pass(self, sets: Sets) -> Iterator[Sets]:
        """The packets that must pass by the verdicts of their part."""
        for part, verdicts in self._parts:
            if both := meet(sets, part):
                yield from verdicts.must_pass(both)


class Excused:
    """Other verdicts (``strict``), except that packets of some parts need not pass."""

    def __init__(self, verdicts: Verdicts, excused: Sequence[Sets]) -> None:
        self.strict, self._excused = verdicts, excused

    def must_drop(self, sets: Sets) -> Iterator[Sets]:
        """The packets that must be dropped by the other verdicts."""
        yield from self.strict.must_drop(sets)

    def must_pass(self, sets: Sets) -> Iterator[Sets]:
        """The packets that must pass by the other verdicts, without those of excused parts."""
        for found in self.strict.must_pass(sets):
            yield from without([found], self._excused)


class Products:
    """The packets of some products must pass, all other packets must be dropped."""

    def __init__(self, passes: Sequence[Sets]) -> None:
        self._passes = passes

    def must_drop(self, sets: Sets) -> Iterator[Sets]:
        """The packets in no product."""
        yield from without([sets], self._passes)

    def must_pass(self, sets: Sets) -> Iterator[Sets]:
        """The packets in a product."""
        left = [sets]
        for each in self._passes:
            yield from (both for one in left if (both := meet(one, each)))
            left = without(left, [each])
