"""What conntrack may say of a packet, and what passes then: an answered connection goes on, whatever policies say."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum, auto
from functools import lru_cache
from itertools import product
from typing import NamedTuple

import msgspec

from ovsnp.analysis.verification.questions.traffic import Cells, Kinds
from ovsnp.analysis.verification.simulator.packets import Memory
from ovsnp.analysis.verification.simulator.places import CT_FLAGS
from ovsnp.analysis.verification.simulator.space import Space, Value, bits_of
from ovsnp.pipeline.registers import ADMITTED, ANSWERED, ORIGIN_LABEL, SERVICE_LABEL, Origin

ADMITTED_BIT, BOUND_BIT, ANSWERED_BIT = (1 << each.lsb for each in (ADMITTED, SERVICE_LABEL, ANSWERED))
STATE, LABEL, MARK = "known_state", "known_label", "known_mark"
"""What a packet's connection is known by, as fields of the elements of a space."""

_FLAGS = (("new",), ("est",), ("est", "rpl"), ("rel",), ("rel", "rpl"), ("inv",))
_BOTH = (False, True)


class Treatment(Enum):
    """What becomes of a packet."""

    JUDGED = auto()
    OPEN = auto()
    ANSWER = auto()
    DROPPED = auto()
    NEVER = auto()


class TrafficPart(NamedTuple):
    """Traffic that is treated alike; ``carried``: a pod's packet is taken to go to a Service's endpoint."""

    traffic: int
    treatment: Treatment
    carried: bool = False


class State(msgspec.Struct, frozen=True):
    """What conntrack says of a packet: its flags, and what is remembered of its connection.

    ``admitted``: policies let the connection in. ``bound``: it was opened to a Service, and given an endpoint.
    ``answered``: its destination has answered. ``origin``: the number of the kind of port by which it was opened.
    """

    flags: tuple[str, ...]
    admitted: bool = False
    bound: bool = False
    answered: bool = False
    origin: int = 0

    @property
    def replies(self) -> bool:
        """Whether the packet goes against the direction in which the connection was opened."""
        return "rpl" in self.flags

    @property
    def bits(self) -> int:
        """The bits of ct_state."""
        return sum(1 << CT_FLAGS.index(flag) for flag in (*self.flags, "trk"))

    @property
    def label(self) -> int:
        """The bits of ct_label."""
        flags = ((self.admitted, ADMITTED_BIT), (self.bound, BOUND_BIT), (self.answered, ANSWERED_BIT))
        return sum(bit for there, bit in flags if there) | self.origin << ORIGIN_LABEL.lsb

    @property
    def is_judged(self) -> bool:
        """Whether policy judges packets in this state, of protocols whose ports conntrack knows."""
        forth = not self.replies and self.flags in (("new",), ("est",))
        return forth and self._forth() is Treatment.JUDGED

    def parts(self, origin: Origin, cells: Kinds, *, undone: bool = False) -> Iterator[TrafficPart]:
        """What becomes of packets that come in by a kind of port; ``undone``: conntrack gave them another source."""
        if self.flags == ("inv",):
            yield from self._out_of_window(origin, cells, undone)
        elif "rel" in self.flags:
            yield from self._related(cells)
        elif self.replies:
            answer = Treatment.ANSWER if self.admitted else Treatment.DROPPED
            yield TrafficPart(cells.all, Treatment.OPEN if self.answered else answer)
        else:
            # Of SCTP conntrack may not know ports, so what the client sends is judged every time.
            yield TrafficPart(cells.portless, Treatment.JUDGED, self.bound)
            yield TrafficPart(cells.all & ~cells.portless, self._forth(), self.bound)

    def _forth(self) -> Treatment:
        """What the client sends: it is judged until it is answered."""
        if self.flags == ("new",):
            return Treatment.JUDGED
        if self.answered:
            return Treatment.OPEN
        return Treatment.JUDGED if self.bound or self.admitted else Treatment.DROPPED

    def _related(self, cells: Kinds) -> Iterator[TrafficPart]:
        """Errors about a connection; no other packets are related to one, so none of SCTP."""
        if self.admitted:
            yield TrafficPart(cells.all, Treatment.OPEN)
        else:
            yield TrafficPart(cells.all & ~cells.portless, Treatment.DROPPED)
            yield TrafficPart(cells.portless, Treatment.DROPPED if self.replies else Treatment.NEVER)

    def _out_of_window(self, origin: Origin, cells: Kinds, undone: bool) -> Iterator[TrafficPart]:
        """TCP gets over what is out of the window that conntrack saw, where it must be an answer if there was none."""
        yield TrafficPart(cells.all & ~cells.tcp, Treatment.DROPPED)
        from_pod = origin is Origin.POD
        if self.answered:
            yield TrafficPart(cells.tcp, Treatment.OPEN, self.bound and from_pod)
        elif not self.admitted:
            yield TrafficPart(cells.tcp, Treatment.DROPPED)
        else:
            by_tunnel = self.origin == Origin.TUNNEL and from_pod
            answers = undone or origin is Origin.TUNNEL if self.bound else by_tunnel
            yield TrafficPart(cells.tcp, Treatment.ANSWER if answers else Treatment.DROPPED)

    def __str__(self) -> str:
        if self == OPENED:
            return ""
        kinds = ((self.bound, "Service-bound"), (self.admitted, "admitted"), (not self.admitted, "not admitted"),
                 (self.answered, "answered"))  # fmt: skip
        opened = f"opened by {_PORTS[self.origin]}" if self.origin in _PORTS else ""
        return ", ".join(
            ["+".join(self.flags), *(name for there, name in kinds if there), *([opened] if opened else [])]
        )


_PORTS: dict[int, str] = {Origin.POD: "a pod", Origin.TUNNEL: "the tunnel", Origin.GATEWAY: "the gateway"}
OPENED = State(("new",))
STATES = tuple(State(*each) for each in product(_FLAGS, _BOTH, _BOTH, _BOTH, range(1 << ORIGIN_LABEL.bits)))
"""Every state, that of a connection's first packet first."""
_JUDGED = {(each.bits, each.label) for each in STATES if each.is_judged}
ELEMENTS = [{STATE: state.bits, LABEL: state.label} for state in STATES]
NAMES = [str(state) for state in STATES]
"""The dimension of states."""


class Piece(NamedTuple):
    """States (as bits) and traffic that are treated alike."""

    states: int
    traffic: int
    treatment: Treatment
    carried: bool

    @property
    def judged(self) -> bool:
        """Whether policy has a say."""
        return self.treatment is Treatment.JUDGED

    @property
    def passes(self) -> bool:
        """Whether packets pass that policy has no say about."""
        return self.treatment in (Treatment.OPEN, Treatment.ANSWER)


def pieces(cells: Cells, states: int, origin: Origin, *, undone: bool = False) -> Sequence[Piece]:
    """The states in parts."""
    return _pieces(cells.kinds, states, origin, undone)


@lru_cache(maxsize=64)
def _pieces(cells: Kinds, states: int, origin: Origin, undone: bool) -> Sequence[Piece]:
    alike: dict[TrafficPart, int] = defaultdict(int)
    for index in bits_of(states):
        for part in STATES[index].parts(origin, cells, undone=undone):
            alike[part] |= 1 << index
    return tuple(
        Piece(those, *part) for part, those in alike.items() if part.traffic and part.treatment is not Treatment.NEVER
    )


def is_judged(bits: int, label: int) -> bool:
    """Whether policy judges packets in a state, given as ct_state and ct_label."""
    return (bits, label) in _JUDGED


def known(space: Space, undo: Mapping[str, Value] | None = None) -> Memory:
    """What conntrack knows of packets whose space has a dimension of states, and perhaps one of marks."""
    start = space.fields()
    return Memory(start[STATE], start.get(MARK, 0), start[LABEL], undo or {})


def chosen(test: Callable[[State], object]) -> int:
    """The states that pass a test, as bits."""
    return sum(1 << index for index, state in enumerate(STATES) if test(state))
