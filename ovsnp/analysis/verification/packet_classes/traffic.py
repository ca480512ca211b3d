"""Divides protocols, destination ports and ICMP types into cells that neither flows nor policies tell apart."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from ovsnp.analysis.verification.simulator.reading import FieldTests, ReadFlow
from ovsnp.analysis.verification.simulator.space import Element
from ovsnp.model.ports import Protocol
from ovsnp.oracle import ICMP, Traffic
from ovsnp.oracle.classes import TrafficClass
from ovsnp.oracle.ranges import Range, cells, union

NUMBERS = {Protocol.TCP: 6, Protocol.UDP: 17, Protocol.SCTP: 132}
NAMES = {number: protocol for protocol, number in NUMBERS.items()}
_ICMP = {4: 1, 6: 58}
_OTHER = 47
_ND = Range(133, 137)
_LAST_PORT = 65535


class TrafficCell(msgspec.Struct, frozen=True):
    """A range of destination ports or ICMP types of an IP protocol; ``run`` None: the whole protocol."""

    protocol: int
    run: Range | None = None

    @property
    def number(self) -> int:
        """The port or ICMP type that stands for the cell; not 0 if the cell has another."""
        return max(self.run.first, min(1, self.run.last)) if self.run else 0

    @property
    def traffic(self) -> Traffic:
        """The traffic that the oracle judges for the cell."""
        return Traffic(NAMES[self.protocol], self.number) if self.protocol in NAMES else ICMP

    @property
    def element(self) -> Element:
        """The fields of a packet of the cell."""
        name = "tp_dst" if self.protocol in NAMES else "icmp_type"
        return {"nw_proto": self.protocol, name: self.number}


class Kinds(NamedTuple):
    """As bits: all cells, the cells of TCP, and the cells of SCTP, of which conntrack may not know the ports."""

    all: int
    tcp: int
    portless: int


class Cells:
    """All cells of a family, except neighbour discovery; a set of cells is a number with one bit for each."""

    def __init__(
        self, version: int, flows: Sequence[ReadFlow], policies: Iterable[TrafficClass], services: Iterable[Traffic]
    ) -> None:
        self.cells: list[TrafficCell] = []
        tests = {_test(flow.terms, "tp_dst") for flow in flows if "tp_dst" in flow.terms}
        apart = [each for each in services if each.protocol is not None and each.port is not None]
        by_protocol = {
            each: [run for one in policies if one.protocol is each for run in one.ranges] for each in NUMBERS
        }
        for protocol, number in NUMBERS.items():
            sets = [[run] for run in by_protocol[protocol]]
            sets += [_ranges(value, mask, _LAST_PORT) for tested, value, mask in tests if tested in (number, None)]
            ports = {each.port for each in apart if each.protocol is protocol and each.port is not None}
            sets += [[Range(port, port)] for port in ports]
            self.cells += [TrafficCell(number, run) for run, _ in cells(_LAST_PORT, sets)]
        icmp = _ICMP[version]
        types = {_test(flow.terms, "icmp_type") for flow in flows if "icmp_type" in flow.terms}
        sets = [[_ND], *(_ranges(value, mask, 255) for tested, value, mask in types if tested in (icmp, None))]
        found = [run for run, _ in cells(255, sets)]
        self.cells += [TrafficCell(icmp, run) for run in found if icmp != 58 or not _ND.first <= run.first <= _ND.last]
        named = {flow.terms["nw_proto"][0] for flow in flows if "nw_proto" in flow.terms}
        mentioned = named - {*NAMES, *_ICMP.values()}
        other = next(number for number in range(_OTHER, 255) if number not in mentioned)
        self.cells += [TrafficCell(number) for number in sorted({other, _ICMP[10 - version], *mentioned})]
        self.all = (1 << len(self.cells)) - 1
        self.tcp = self._bits(cell for cell in self.cells if cell.protocol == NUMBERS[Protocol.TCP])
        self.portless = self._bits(cell for cell in self.cells if cell.protocol == NUMBERS[Protocol.SCTP])
        self._of_port: dict[tuple[Protocol, int], int] = {}

    @property
    def elements(self) -> list[Element]:
        """The fields of a packet of each cell."""
        return [cell.element for cell in self.cells]

    @property
    def kinds(self) -> Kinds:
        """The cells that states of connections tell apart."""
        return Kinds(self.all, self.tcp, self.portless)

    def _bits(self, chosen: Iterable[TrafficCell]) -> int:
        wanted = set(chosen)
        return sum(1 << index for index, cell in enumerate(self.cells) if cell in wanted)

    def of(self, protocol: Protocol, port: int) -> int:
        """The cell of a port, as bits."""
        key = protocol, port
        if key not in self._of_port:
            those = (cell for cell in self.cells if cell.protocol == NUMBERS[protocol] and cell.run)
            self._of_port[key] = self._bits(cell for cell in those if cell.run and port in range(*_half_open(cell.run)))
        return self._of_port[key]


def _half_open(run: Range) -> tuple[int, int]:
    return run.first, run.last + 1


def _test(terms: FieldTests, base: str) -> tuple[int | None, int, int]:
    protocol = terms.get("nw_proto")
    return (protocol[0] if protocol else None, *terms[base])


def _ranges(value: int, mask: int, last: int) -> list[Range]:
    """The numbers from 0 to ``last`` that have a value under a mask."""
    free = last & ~mask
    if free & (free + 1) == 0:
        return [Range(value, value | free)] if value <= last else []
    return union(Range(number, number) for number in range(last + 1) if number & mask == value)
