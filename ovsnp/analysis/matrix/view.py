"""The part of a matrix that is shown, in words."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ovsnp.analysis.matrix.choosing import Choosing
from ovsnp.analysis.matrix.query_port import QueryPort, read_query_port
from ovsnp.analysis.matrix.words import Wording
from ovsnp.analysis.reach.cells import Cell, Reach
from ovsnp.analysis.reach.parties import Party
from ovsnp.analysis.wording.traffics import NONE
from ovsnp.model.address import Prefix
from ovsnp.oracle import Exemption


class Shown(NamedTuple):
    """A cell that allows some traffic, in words: ``ports`` by policies, ``exempt_ports`` where they do not apply.

    A workload whose pods may not reach one another is not shown as reaching itself, although every pod reaches itself.
    """

    source: Party
    destination: Party
    cell: Cell
    ports: str
    exempt_ports: str


class View:
    """The sources, destinations and port that a user chose on the command line; empty: all.

    Raises UsageError, with the nearest names, where a word names no party or no port.
    """

    def __init__(
        self,
        reach: Reach,
        sources: Sequence[str] = (),
        destinations: Sequence[str] = (),
        port: str = "",
        service_cidrs: Sequence[Prefix] = (),
    ) -> None:
        self.reach = reach
        choosing = Choosing(reach, service_cidrs)
        self.sources, self.destinations = choosing.sources(sources), choosing.destinations(destinations)
        self.asked: QueryPort | None = read_query_port(port, reach.parties) if port else None
        self._wanted = {party.name for party in self.destinations}
        self._wording = Wording(reach, self.asked)

    def shown(self, source: Party) -> Iterator[Shown]:
        """The chosen destinations to which a source may open some of the chosen traffic, in order."""
        everything = self.reach.relation.rules.everything
        for destination, cell in self.reach.reached(source):
            if destination.name not in self._wanted:
                continue
            ports = self._wording.of(cell, destination)
            moot = NONE
            if cell.exempt is Exemption.NODE:
                moot = self._wording.of(Cell(dict.fromkeys(cell.ports, everything)), destination)
            if (ports, moot) != (NONE, NONE):
                yield Shown(source, destination, cell, ports, moot)
