"""The states in which conntrack may see a packet, and what must happen to the packet in each of them.

An answered connection goes on, whatever policies say. Until it is answered, policy judges each packet of the client.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum, auto
from functools import lru_cache
from itertools import product
from typing import NamedTuple

import msgspec

from ovsnp.analysis.verification.packet_classes.traffic import Cells, Kinds
from ovsnp.analysis.verification.simulator.packets import Memory
from ovsnp.analysis.verification.simulator.places import CT_FLAGS
from ovsnp.analysis.verification.simulator.space import Space, Value, bits_of
from ovsnp.pipeline.registers import ADMITTED, ANSWERED, ORIGIN_LABEL, SERVICE_LABEL, Origin

ADMITTED_BIT, BOUND_BIT, ANSWERED_BIT = (1 << each.lsb for each in (ADMITTED, SERVICE_LABEL, ANSWERED))
STATE, LABEL, MARK = "known_state", "known_label", "known_mark"
"""Fields of elements that give what conntrack knows of a connection: ct_state, ct_label and ct_mark."""

_FLAGS = (("new",), ("est",), ("est", "rpl"), ("rel",), ("rel", "rpl"), ("inv",))
_BOTH = (False, True)


class Treatment(Enum):
    """What must happen to a packet in a state.

    JUDGED: policy decides. OPEN: the packet passes. ANSWER: it passes, and conntrack remembers that the connection is
    answered. DROPPED: it is dropped. NEVER: no packet has this state.
    """

    JUDGED = auto()
    OPEN = auto()
    ANSWER = auto()
    DROPPED = auto()
    NEVER = auto()


class TrafficPart(NamedTuple):
    """Traffic, as bits, with one treatment; ``carried``: a pod's packet counts as a packet to a Service's endpoint."""

    traffic: int
    treatment: Treatment
    carried: bool = False


class State(msgspec.Struct, frozen=True):
    """What conntrack says of a packet: its flags, and what it remembers of the connection.

    ``admitted``: policies let the connection in. ``bound``: it was opened to a Service, and has an endpoint.
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
        """The state as a value of ct_state."""
        return sum(1 << CT_FLAGS.index(flag) for flag in (*self.flags, "trk"))

    @property
    def label(self) -> int:
        """The state as a value of ct_label."""
        flags = ((self.admitted, ADMITTED_BIT), (self.bound, BOUND_BIT), (self.answered, ANSWERED_BIT))
        return sum(bit for there, bit in flags if there) | self.origin << ORIGIN_LABEL.lsb

    @property
    def is_judged(self) -> bool:
        """Whether policy judges packets in this state, of protocols whose ports conntrack knows."""
        forth = not self.replies and self.flags in (("new",), ("est",))
        return forth and self._forth() is Treatment.JUDGED

    def parts(self, origin: Origin, cells: Kinds) -> Iterator[TrafficPart]:
        """The treatments of packets that come in by a kind of port."""
        if self.flags == ("inv",):
            yield from self._out_of_window(origin, cells)
        elif "rel" in self.flags:
            yield from self._related(cells)
        elif self.replies:
            answer = Treatment.ANSWER if self.admitted else Treatment.DROPPED
            yield TrafficPart(cells.all, Treatment.OPEN if self.answered else answer)
        else:
            # Conntrack may not know the ports of SCTP, so every packet of the client is judged.
            yield TrafficPart(cells.portless, Treatment.JUDGED, self.bound)
            yield TrafficPart(cells.all & ~cells.portless, self._forth(), self.bound)

    def _forth(self) -> Treatment:
        """The treatment of the client's packets."""
        return Treatment.OPEN if self.answered and self.flags != ("new",) else Treatment.JUDGED

    def _related(self, cells: Kinds) -> Iterator[TrafficPart]:
        """Errors (ICMP) about a connection. No other packets are related to one, so SCTP packets are not."""
        if self.admitted:
            yield TrafficPart(cells.all, Treatment.OPEN)
        else:
            yield TrafficPart(cells.all & ~cells.portless, Treatment.DROPPED)
            yield TrafficPart(cells.portless, Treatment.DROPPED if self.replies else Treatment.NEVER)

    def _out_of_window(self, origin: Origin, cells: Kinds) -> Iterator[TrafficPart]:
        """Invalid packets: TCP packets may be outside of the window that conntrack saw, and TCP recovers from that.

        They pass if the connection is answered; if it is only admitted, they pass where they must be answers.
        """
        yield TrafficPart(cells.all & ~cells.tcp, Treatment.DROPPED)
        from_pod = origin is Origin.POD
        if self.answered:
            yield TrafficPart(cells.tcp, Treatment.OPEN, self.bound and from_pod)
        elif not self.admitted:
            yield TrafficPart(cells.tcp, Treatment.DROPPED)
        else:
            by_tunnel = self.origin == Origin.TUNNEL and from_pod
            answers = origin is Origin.TUNNEL if self.bound else by_tunnel
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
"""Every state; the first one is that of a connection's first packet."""
_JUDGED = {(each.bits, each.label) for each in STATES if each.is_judged}
ELEMENTS = [{STATE: state.bits, LABEL: state.label} for state in STATES]
NAMES = [str(state) for state in STATES]
"""The names of the states; with ``ELEMENTS`` they make the dimension of states."""


class Piece(NamedTuple):
    """States and traffic, both as bits, with one treatment."""

    states: int
    traffic: int
    treatment: Treatment
    carried: bool

    @property
    def judged(self) -> bool:
        """Whether policy judges the packets."""
        return self.treatment is Treatment.JUDGED

    @property
    def passes(self) -> bool:
        """Whether the packets pass whatever policy says."""
        return self.treatment in (Treatment.OPEN, Treatment.ANSWER)


def pieces(cells: Cells, states: int, origin: Origin) -> Sequence[Piece]:
    """The states in parts, for packets that come in by a kind of port: one for each treatment and its traffic."""
    return _pieces(cells.kinds, states, origin)


@lru_cache(maxsize=64)
def _pieces(cells: Kinds, states: int, origin: Origin) -> Sequence[Piece]:
    alike: dict[TrafficPart, int] = defaultdict(int)
    for index in bits_of(states):
        for part in STATES[index].parts(origin, cells):
            alike[part] |= 1 << index
    return tuple(
        Piece(those, *part) for part, those in alike.items() if part.traffic and part.treatment is not Treatment.NEVER
    )


def is_judged(bits: int, label: int) -> bool:
    """Whether policy judges packets in a state, given as ct_state and ct_label."""
    return (bits, label) in _JUDGED


def known(space: Space, undo: Mapping[str, Value] | None = None) -> Memory:
    """Conntrack's memory of packets whose space has a dimension of states, and perhaps one of marks."""
    start = space.fields()
    return Memory(start[STATE], start.get(MARK, 0), start[LABEL], undo or {})


def chosen(test: Callable[[State], object]) -> int:
    """The states that pass a test, as bits."""
    return sum(1 << index for index, state in enumerate(STATES) if test(state))
