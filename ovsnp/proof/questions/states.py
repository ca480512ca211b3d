"""What conntrack may say of a packet, and what passes then: what was admitted goes on, whatever policies say by now."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from itertools import product

import msgspec

from ovsnp.pipeline.registers import ADMITTED, SERVICE_LABEL
from ovsnp.proof.questions.traffic import Cells
from ovsnp.proof.simulator.places import CT_FLAGS
from ovsnp.proof.simulator.space import Element, Space, Value, bits_of
from ovsnp.proof.simulator.walk import Memory

ADMITTED_BIT = 1 << ADMITTED.lsb
BOUND_BIT = 1 << SERVICE_LABEL.lsb
STATE, LABEL, MARK = "known_state", "known_label", "known_mark"
"""What a packet's connection is known by, as fields of the elements of a space."""

_FLAGS = (("new",), ("est",), ("est", "rpl"), ("rel",), ("rel", "rpl"), ("inv",))


class State(msgspec.Struct, frozen=True):
    """What conntrack says of a packet: its flags, and what is remembered of its connection.

    ``admitted``: policies let the connection in. ``bound``: it was opened to a Service, and given an endpoint.
    """

    flags: tuple[str, ...]
    admitted: bool = False
    bound: bool = False

    @property
    def replies(self) -> bool:
        """Whether the packet goes against the direction in which the connection was opened."""
        return "rpl" in self.flags

    @property
    def bits(self) -> int:
        """The bits of ct_state."""
        return sum(1 << CT_FLAGS.index(flag) for flag in (*self.flags, "trk"))

    @property
    def forth(self) -> bool:
        """Whether it is a client's packet to a cluster IP: conntrack has put the endpoint there."""
        return self.bound and self.flags in (("new",), ("est",))

    @property
    def carried(self) -> bool:
        """Whether what a pod sends to another node's endpoint carries its source.

        Of what is out of the window the direction is not known.
        """
        return self.forth or (self.bound and self.flags == ("inv",))

    @property
    def element(self) -> Element:
        """The fields of an element of a space."""
        label = (ADMITTED_BIT if self.admitted else 0) | (BOUND_BIT if self.bound else 0)
        return {STATE: self.bits, LABEL: label}

    def judged(self, cells: Cells) -> int:
        """The traffic that policy judges: of connections that are not admitted the client's packets.

        Of SCTP conntrack may not know ports, so what the client sends is judged every time.
        """
        if self.replies or self.flags in (("rel",), ("inv",)):
            return 0
        if self.admitted:
            return cells.portless
        return cells.all if self.bound or self.flags == ("new",) else cells.portless

    def open(self, cells: Cells) -> int:
        """The traffic that passes whatever policies say.

        What is out of the window that conntrack saw passes where it is TCP, since TCP itself gets over it.
        """
        if "rel" in self.flags:
            return cells.all
        if not self.admitted:
            return 0
        return cells.tcp if self.flags == ("inv",) else cells.all & ~self.judged(cells)

    def __str__(self) -> str:
        if self == OPENED:
            return ""
        bound = ", Service-bound" if self.bound else ""
        return f"{'+'.join(self.flags)}{bound}, {'' if self.admitted else 'not '}admitted"


OPENED = State(("new",))
STATES = tuple(State(*each) for each in product(_FLAGS, (False, True), (False, True)))
"""Every state, that of a connection's first packet first."""


ELEMENTS = [state.element for state in STATES]
NAMES = [str(state) for state in STATES]
"""The dimension of states."""


def known(space: Space, undo: Mapping[str, Value] | None = None) -> Memory:
    """What conntrack knows of packets whose space has a dimension of states, and perhaps one of marks."""
    start = space.fields()
    return Memory(start[STATE], start.get(MARK, 0), start[LABEL], undo or {})


def chosen(test: Callable[[State], object]) -> int:
    """The states that pass a test, as bits."""
    return sum(1 << index for index, state in enumerate(STATES) if test(state))


class Piece(msgspec.Struct, frozen=True):
    """States (as bits) and traffic that are treated alike: policy judges it, or ``open`` passes and the rest is dropped."""

    states: int
    traffic: int
    judged: bool
    open: int = 0

    @property
    def opens(self) -> bool:
        """Whether these are first packets of connections."""
        return self.states == 1


def pieces(cells: Cells, states: int) -> Iterator[Piece]:
    """The states in parts, that of first packets by itself."""
    alike: dict[tuple[bool, int, int], int] = defaultdict(int)
    for index in bits_of(states):
        state = STATES[index]
        judged, open_ = state.judged(cells), state.open(cells)
        alike[state == OPENED, judged, open_] |= 1 << index
    for (_, judged, open_), those in alike.items():
        if judged:
            yield Piece(those, judged, judged=True)
        if rest := cells.all & ~judged:
            yield Piece(those, rest, judged=False, open=open_ & rest)
