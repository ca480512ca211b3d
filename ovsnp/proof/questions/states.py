"""What conntrack may say of a packet, and what passes then: what was answered goes on, whatever policies say by now."""

from collections.abc import Mapping

import msgspec

from ovsnp.pipeline.registers import ADMITTED, ANSWERED, SERVICE_LABEL
from ovsnp.proof.questions.addresses import Far
from ovsnp.proof.questions.scene import Judge, Scene
from ovsnp.proof.simulator.places import CT_FLAGS
from ovsnp.proof.simulator.walk import Memory

ADMITTED_BIT = 1 << ADMITTED.lsb
ANSWERED_BIT = 1 << ANSWERED.lsb
BOUND_BIT = 1 << SERVICE_LABEL.lsb


class State(msgspec.Struct, frozen=True):
    """A state of a connection; ``passes`` says whether its packets do, ``judged`` that policy is asked.

    Of SCTP conntrack may not know ports, so what the client sends is judged every time: ``portless``. ``only_tcp``:
    what is out of the window that conntrack saw passes, since TCP itself gets over it. ``bound``: the connection was
    opened to a Service. One that was answered was admitted.
    """

    flags: tuple[str, ...]
    admitted: bool = False
    answered: bool = False
    passes: bool = False
    judged: bool = False
    portless: bool = False
    only_tcp: bool = False
    bound: bool = False

    @property
    def opens(self) -> bool:
        """Whether it is a new connection, which policy judges."""
        return self.judged

    @property
    def bits(self) -> int:
        """The bits of ct_state."""
        return sum(1 << CT_FLAGS.index(flag) for flag in (*self.flags, "trk"))

    def memory(self, scene: Scene) -> Mapping[int, Memory]:
        """What conntrack knows, by zone."""
        label = ADMITTED_BIT if self.admitted or self.answered else 0
        label |= (ANSWERED_BIT if self.answered else 0) | (BOUND_BIT if self.bound else 0)
        return {scene.zone: Memory(self.bits, 0, label)}

    def judge(self, scene: Scene) -> Judge:
        """What passes from end to end."""
        expect, cells = scene.expect, scene.cells
        open_ = (cells.tcp if self.only_tcp else cells.all) if self.passes else 0

        def judged(source: Far, destination: Far, via: bool) -> int:
            if self.judged:
                return expect.allowed(source, destination, via)
            if not self.portless:
                return open_ & ~expect.tunneled(source, destination)
            allowed = expect.allowed(source, destination, via) & cells.portless
            return (open_ & ~cells.portless & ~expect.tunneled(source, destination)) | allowed

        return judged

    def __str__(self) -> str:
        if self == OPENED:
            return ""
        bound = ", Service-bound" if self.bound else ""
        remembered = "answered" if self.answered else "admitted, never answered" if self.admitted else "not admitted"
        return f"{'+'.join(self.flags)}{bound}, {remembered}"


OPENED = State(("new",), judged=True)
STATES = (
    OPENED,
    State(("new",), admitted=True, judged=True),
    State(("inv",)),
    State(("inv",), admitted=True),
    State(("inv",), answered=True, passes=True, only_tcp=True),
    State(("rel",), portless=True),
    State(("rel", "rpl")),
    State(("rel",), admitted=True, passes=True),
    State(("rel", "rpl"), admitted=True, passes=True),
    State(("est",), portless=True),
    State(("est",), admitted=True, judged=True),
    State(("est",), answered=True, passes=True, portless=True),
    State(("est", "rpl")),
    State(("est", "rpl"), admitted=True, passes=True),
    State(("est", "rpl"), answered=True, passes=True),
    State(("est", "rpl"), answered=True, passes=True, bound=True),
)
OPEN_TO_SERVICES = (
    State(("est",), answered=True, passes=True, portless=True, bound=True),
    State(("est",), admitted=True, judged=True, bound=True),
    State(("new",), judged=True, bound=True),
    State(("inv",), answered=True, passes=True, only_tcp=True, bound=True),
)
"""Connections that were given an endpoint, after their first packet."""
