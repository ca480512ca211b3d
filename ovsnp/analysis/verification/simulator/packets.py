"""Packets on their way through the tables, what conntrack knows of them, and what becomes of them."""

from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from ovsnp.analysis.verification.simulator import actions as a
from ovsnp.analysis.verification.simulator.places import CT_FLAGS
from ovsnp.analysis.verification.simulator.reading import ReadFlow
from ovsnp.analysis.verification.simulator.space import Sets, Space, Value, meet
from ovsnp.analysis.verification.simulator.table import AppliedFlows

NEW = 1 << CT_FLAGS.index("new") | 1 << CT_FLAGS.index("trk")


class Memory(msgspec.Struct, frozen=True):
    """What conntrack knows of a connection in a zone, and the fields that undoing its translation sets."""

    state: Value = NEW
    mark: Value = 0
    label: Value = 0
    undo: Mapping[str, Value] = {}


class Sent(msgspec.Struct, frozen=True):
    """The packet left by a port, with these fields."""

    port: Value
    fields: Mapping[str, Value]


Layers = tuple[tuple[int, Value], ...]
"""Bits of a value, as masks with the values that were written under them: the last write first."""


class Committed(msgspec.Struct, frozen=True):
    """The connection was remembered."""

    zone: int
    mark: Value
    label: Layers


class Translated(msgspec.Struct, frozen=True):
    """The connection was remembered with another source or destination."""

    zone: int
    nat: a.ParsedNat
    label: Value


class Unsupported(msgspec.Struct, frozen=True):
    """The packet met what cannot be judged."""

    what: str


Effect = Sent | Committed | Translated | a.ParsedLearn | Unsupported


Path = tuple[int, AppliedFlows, "Path | None"]
"""A table and what was done there, and the way to it."""


class Packets(msgspec.Struct):
    """Packets on their way: their fields, which they are, and what became of them so far.

    ``path`` are the steps they took, the last first. ``pending`` is the table where they go on, where a walk was told
    to stop at a translation of the destination. ``kept`` names the way that a walk keeps, where it is one, and
    ``takers`` are all packets of the space that take it, were they the same in all else.
    """

    fields: dict[str, Value]
    sets: Sets
    memory: Mapping[int, Memory]
    effects: tuple[Effect, ...] = ()
    path: "Path | None" = None
    stack: tuple[Value, ...] = ()
    depth: int = 0
    pending: int | None = None
    kept: object = None
    takers: Sets | None = None

    def copy(self, **changes: object) -> "Packets":
        """The same with changes; its fields are its own."""
        made = replace(self, **changes)
        if "fields" not in changes:
            made.fields = dict(self.fields)
        return made

    @property
    def sent(self) -> list[Sent]:
        """Where they left."""
        return [effect for effect in self.effects if isinstance(effect, Sent)]

    @property
    def met(self) -> list[ReadFlow | int]:
        """The flows they met in order; a number is a table where they met none."""
        found: list[ReadFlow | int] = []
        link = self.path
        while link is not None:
            table, step, link = link
            flows = (flow for flow, products in step.flows if any(meet(product, self.sets) for product in products))
            found.append(next(flows, table))
        return found[::-1]


def layered(space: Space, layers: Layers, mask: int) -> Value:
    """The bits of a mask; raises MixedError where these are of columns of two dimensions."""
    found: Value = 0
    for written, value in layers:
        found = space.write(found, value, written & mask)
        mask &= ~written
        if not mask:
            break
    return found
