"""Turns cells of traffic, which flows tell apart, into the classes of traffic that lines are made of."""

from ovsnp.analysis.verification.packet_classes.traffic import NAMES, Cells
from ovsnp.analysis.verification.simulator.space import bits_of
from ovsnp.oracle import ICMP
from ovsnp.oracle.classes import TrafficClass
from ovsnp.oracle.ranges import Range


class CellClasses:
    """A class for each cell of ports, and one for all traffic without ports; nothing is ever sent to port 0."""

    def __init__(self, cells: Cells) -> None:
        classes: list[TrafficClass] = []
        self._class_of: list[int | None] = []
        portless = sum(1 for each in cells.cells if each.protocol in NAMES and each.run is not None and each.run.last)
        for each in cells.cells:
            if each.protocol not in NAMES:
                self._class_of.append(portless)
            elif each.run is None or not each.run.last:
                self._class_of.append(None)
            else:
                # Port 0 is in the class of the ports next to it, so that all of a protocol has its short name.
                run = Range(0, each.run.last) if each.run.first == 1 else each.run
                self._class_of.append(len(classes))
                classes.append(TrafficClass(len(classes), NAMES[each.protocol], (run,), each.traffic))
        self.classes = (*classes, TrafficClass(portless, None, (), ICMP))

    def of(self, cells: int) -> int:
        """The classes of cells, both as bits; one cell without ports is enough for the class without ports."""
        found = 0
        for index in bits_of(cells):
            number = self._class_of[index]
            if number is not None:
                found |= 1 << number
        return found
