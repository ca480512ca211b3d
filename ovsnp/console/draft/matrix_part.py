"""The part of the matrix that an edit concerns, before and after."""

from collections.abc import Callable, Iterable, Iterator

from ovsnp.analysis.matrix.words import Wording
from ovsnp.analysis.reach.changes import ReachChange
from ovsnp.analysis.reach.parties import Party
from ovsnp.analysis.wording.traffics import ALL
from ovsnp.console.draft.draft_document import DraftCell, DraftMatrix
from ovsnp.oracle.classes import Classes

LINES_SHOWN = 40
"""The most rows, and the most columns, that an answer has."""


def matrix_part(classes: Classes, *, strict_nodes: bool, alive: Callable[[], None]) -> DraftMatrix:
    """The rows and columns with cells that change; ``classes`` are those of the snapshot and of the edited cluster.

    ``alive`` is called again and again; what it raises ends the work.
    """
    change = ReachChange(classes, strict_nodes=strict_nodes)
    pairs: list[tuple[str, str]] = []
    for cell in change.cells():
        alive()
        pairs.append((cell.source.name, cell.destination.name))
    sources, destinations = ({pair[side] for pair in pairs} for side in (0, 1))
    rows, columns = _first(change.parties, sources), _first(change.parties, destinations)
    return DraftMatrix(
        rows=[party.name for party in rows],
        columns=[party.name for party in columns],
        cells=[*_cells(change, rows, columns, frozenset(pairs))],
        changed=len(pairs),
        rows_left_out=len(sources) - len(rows),
        columns_left_out=len(destinations) - len(columns),
    )


def _first(parties: Iterable[Party], names: set[str]) -> list[Party]:
    return [party for party in parties if party.name in names][:LINES_SHOWN]


def _cells(
    change: ReachChange, rows: list[Party], columns: list[Party], changed: frozenset[tuple[str, str]]
) -> Iterator[DraftCell]:
    words = Wording(change.before, None)
    for row, source in enumerate(rows):
        for column, destination in enumerate(columns):
            before, after = (each.cell(source, destination) for each in (change.before, change.after))
            if before is None or after is None:
                continue
            was, now = (ALL if each.wholly else words.of(each, destination) for each in (before, after))
            yield DraftCell(row, column, was, now, (source.name, destination.name) in changed)
