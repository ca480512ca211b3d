"""Groups changed pairs into few blocks: a block is every one of some sources with every one of some destinations."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Any

import msgspec

from ovsnp.analysis.diff.effect.cells import Cells
from ovsnp.analysis.verification.simulator.space import bits_of

_TRIED = 250_000
"""Cells of a matrix up to which blocks are grown: grown blocks overlap and are fewer, but take long to find."""


class Block(msgspec.Struct, frozen=True):
    """Every source with every destination: the traffic, as bits."""

    sources: frozenset[int]
    destinations: frozenset[int]
    traffic: int


def blocks(cells: Cells) -> list[Block]:
    """Blocks that together are exactly these cells; they may overlap where that makes them fewer."""
    sources = _alike(cells)
    columns = _turned({source: cells[source] for source, *_ in sources})
    destinations = _alike(columns)
    # One of each group stands for the group.
    matrix = [[columns[column].get(row, 0) for column, *_ in destinations] for row, *_ in sources]
    found = min((_grown(matrix, each) for each in (_by_rows(matrix), _by_columns(matrix))), key=len)
    return [
        Block(_together(sources, each.sources), _together(destinations, each.destinations), each.traffic)
        for each in found
    ]


def _alike(cells: Cells) -> list[list[int]]:
    """The sources, in groups that have the same row."""
    groups: list[list[int]] = []
    by_hash: dict[int, list[list[int]]] = defaultdict(list)
    for source, row in cells.items():
        # The hash alone is kept: the items of all rows take more memory than the rows.
        candidates = by_hash[hash(frozenset(row.items()))]
        group = next((each for each in candidates if cells[each[0]] == row), None)
        if group is None:
            group = []
            groups.append(group)
            candidates.append(group)
        group.append(source)
    return groups


def _turned(cells: Cells) -> Cells:
    turned: dict[int, dict[int, int]] = defaultdict(dict)
    for source, row in cells.items():
        for destination, traffic in row.items():
            turned[destination][source] = traffic
    return turned


def _together(groups: Sequence[Sequence[int]], numbers: Iterable[int]) -> frozenset[int]:
    return frozenset(member for number in numbers for member in groups[number])


Matrix = Sequence[Sequence[int]]
"""By row and column: traffic as bits; no two rows and no two columns are the same."""


def _by_rows(matrix: Matrix) -> list[Block]:
    """A block for each row and traffic, with all columns that have it; then the blocks are joined where possible."""
    found = []
    for number, row in enumerate(matrix):
        by_traffic: dict[int, set[int]] = defaultdict(set)
        for column, traffic in enumerate(row):
            if traffic:
                by_traffic[traffic].add(column)
        found += [Block(frozenset({number}), frozenset(those), traffic) for traffic, those in by_traffic.items()]
    return _joined(found)


def _by_columns(matrix: Matrix) -> list[Block]:
    turned = _by_rows(list(zip(*matrix, strict=True)))
    return [Block(each.destinations, each.sources, each.traffic) for each in turned]


def _joined(found: list[Block]) -> list[Block]:
    """Join blocks that differ only in their sources, destinations or traffic, until no two such blocks are left."""
    while True:
        before = len(found)
        found = [
            Block(frozenset().union(*(each.sources for each in those)), destinations, traffic)
            for (destinations, traffic), those in _by(found, lambda each: (each.destinations, each.traffic))
        ]
        found = [
            Block(sources, frozenset().union(*(each.destinations for each in those)), traffic)
            for (sources, traffic), those in _by(found, lambda each: (each.sources, each.traffic))
        ]
        found = [
            Block(sources, destinations, _union(each.traffic for each in those))
            for (sources, destinations), those in _by(found, lambda each: (each.sources, each.destinations))
        ]
        if len(found) == before:
            return found


def _union(traffics: Iterable[int]) -> int:
    union = 0
    for traffic in traffics:
        union |= traffic
    return union


def _by(found: Iterable[Block], key: Callable[[Block], Hashable]) -> Iterator[tuple[Any, list[Block]]]:
    alike: dict[Hashable, list[Block]] = defaultdict(list)
    for each in found:
        alike[key(each)].append(each)
    return iter(alike.items())


def _grown(matrix: Matrix, found: list[Block]) -> list[Block]:
    """The same cells in fewer blocks that overlap, if some are found; else the blocks as they are."""
    if len(found) < 3 or len(matrix) * len(matrix[0]) > _TRIED:
        return found
    cover = _Cover(matrix)
    largest_first = sorted(found, key=_weight, reverse=True)
    covering = [cover.grow(block) for block in largest_first if cover.lacks(block)]
    return covering if len(covering) < len(found) else found


def _weight(block: Block) -> tuple[int, list[int], list[int]]:
    area = len(block.sources) * len(block.destinations) * block.traffic.bit_count()
    return area, sorted(block.sources), sorted(block.destinations)


class _Cover:
    """The cells of a matrix that grown blocks cover."""

    def __init__(self, matrix: Matrix) -> None:
        self._matrix = matrix
        columns = list(zip(*matrix, strict=True))
        self._rows_holding, self._columns_holding = _Holding(columns), _Holding(matrix)
        self._covered = [[0] * len(row) for row in matrix]

    def lacks(self, block: Block) -> bool:
        """Whether some cell of a block is not covered yet."""
        return any(
            block.traffic & ~self._covered[row][column] for row in block.sources for column in block.destinations
        )

    def grow(self, block: Block) -> Block:
        """The largest block found that contains this one; its cells count as covered from then on."""
        rows = self._rows_holding.of(block.destinations, block.traffic)
        wider = rows, self._columns_holding.of(rows, block.traffic)
        columns = self._columns_holding.of(block.sources, block.traffic)
        longer = self._rows_holding.of(columns, block.traffic), columns
        rows, columns = max(wider, longer, key=lambda each: len(each[0]) * len(each[1]))
        traffic = -1
        for row in rows:
            for column in columns:
                traffic &= self._matrix[row][column]
        for row in rows:
            for column in columns:
                self._covered[row][column] |= traffic
        return Block(rows, columns, traffic)


class _Holding:
    """Finds the places at which all of some lines have some traffic: rows in columns, or columns in rows."""

    def __init__(self, lines: Matrix) -> None:
        self._lines = lines
        self._places: dict[int, dict[int, int]] = {}
        self._known: dict[tuple[int, int], int] = {}

    def of(self, lines: Iterable[int], traffic: int) -> frozenset[int]:
        """The places at which each of the lines has the traffic."""
        found = -1
        for line in lines:
            found &= self._holding(line, traffic)
        return frozenset(bits_of(found))

    def _holding(self, line: int, traffic: int) -> int:
        """The places of one line, as bits."""
        key = line, traffic
        if key not in self._known:
            self._known[key] = 0
            for held, places in self._by_traffic(line).items():
                if traffic & ~held == 0:
                    self._known[key] |= places
        return self._known[key]

    def _by_traffic(self, line: int) -> dict[int, int]:
        """The places of each traffic of a line; most lines have the same traffic at many places."""
        if line not in self._places:
            found: dict[int, int] = defaultdict(int)
            for place, traffic in enumerate(self._lines[line]):
                found[traffic] |= 1 << place
            self._places[line] = found
        return self._places[line]
