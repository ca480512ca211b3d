"""A set of packets on the way through the tables: fields, what conntrack knows, and the effects so far."""

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
    """What conntrack knows of a connection in a zone; ``undo`` are the fields that undoing its translation sets."""

    state: Value = NEW
    mark: Value = 0
    label: Value = 0
    undo: Mapping[str, Value] = {}


class Sent(msgspec.Struct, frozen=True):
    """The packet leaves by a port, with these fields."""

    port: Value
    fields: Mapping[str, Value]


Layers = tuple[tuple[int, Value], ...]
"""A value as a list of writes: masks with the value under each, the last write first."""


class Committed(msgspec.Struct, frozen=True):
    """Conntrack remembers the connection, with this mark and label."""

    zone: int
    mark: Value
    label: Layers


class Translated(msgspec.Struct, frozen=True):
    """Conntrack remembers the connection with a translated source or destination."""

    zone: int
    nat: a.ParsedNat
    label: Value


class Unsupported(msgspec.Struct, frozen=True):
    """The simulator cannot judge the packet; ``what`` says why."""

    what: str


Effect = Sent | Committed | Translated | a.ParsedLearn | Unsupported


Path = tuple[int, AppliedFlows, "Path | None"]
"""The steps of a way, the last first: a table, the flows applied there, and the steps before."""


class Packets(msgspec.Struct):
    """A set of packets (``sets``) with one way so far: their fields, and the effects.

    ``memory`` is what conntrack knows, by zone. ``path`` are the steps so far, the last first. ``pending`` is the table
    where the packets would go on, if the walk stops where a destination is translated. ``kept`` identifies the way if
    the walk keeps it for later questions. ``takers`` are all packets of the space that take this way, if they are the
    same in all other fields.
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
        """The same with changes; the dictionary of fields is a copy."""
        made = replace(self, **changes)
        if "fields" not in changes:
            made.fields = dict(self.fields)
        return made

    @property
    def sent(self) -> list[Sent]:
        """The effects by which the packets leave, in order."""
        return [effect for effect in self.effects if isinstance(effect, Sent)]

    @property
    def met(self) -> list[ReadFlow | int]:
        """The flows that the packets met, in order; a number is a table where no flow matched."""
        found: list[ReadFlow | int] = []
        link = self.path
        while link is not None:
            table, step, link = link
            flows = (flow for flow, products in step.flows if any(meet(product, self.sets) for product in products))
            found.append(next(flows, table))
        return found[::-1]


def layered(space: Space, layers: Layers, mask: int) -> Value:
    """The value under a mask that layers make; raises MixedError where it comes from columns of two dimensions."""
    found: Value = 0
    for written, value in layers:
        found = space.write(found, value, written & mask)
        mask &= ~written
        if not mask:
            break
    return found
