"""Cells in words."""

from ovsnp.analysis.matrix.query_port import QueryPort
from ovsnp.analysis.reach.cells import Cell, PartyCells
from ovsnp.analysis.reach.parties import Party
from ovsnp.analysis.wording.ports import traffic_name
from ovsnp.analysis.wording.traffics import NONE, traffics_of, traffics_words


class Wording:
    """Words for cells; the words for a set of traffic are computed once."""

    def __init__(self, cells: PartyCells, asked: QueryPort | None) -> None:
        self._classes = cells.classes
        self._asked = asked
        self._known: dict[int, str] = {}

    def of(self, cell: Cell, destination: Party) -> str:
        """The traffic of a cell in words, limited to the chosen port; one part for each family where they differ."""
        words = {version: self._of_bits(bits, destination) for version, bits in cell.ports.items()}
        if len(set(words.values())) == 1:
            return next(iter(words.values()))
        return "; ".join(f"IPv{version}: {each}" for version, each in words.items())

    def _of_bits(self, bits: int, destination: Party) -> str:
        if self._asked is None:
            if bits not in self._known:
                self._known[bits] = traffics_words(traffics_of(self._classes, bits))
            return self._known[bits]
        wanted = self._asked.at(destination)
        return (
            ", ".join(traffic_name(each) for each in wanted if bits >> self._classes.of_traffic(each).number & 1)
            or NONE
        )
