"""A flow: where it stands, what it matches, what it does, and for which policy rules."""

from typing import NamedTuple

import msgspec

from ovsnp.flows.action import Action
from ovsnp.flows.match import Match
from ovsnp.flows.note import FlowNote
from ovsnp.ir.ruleset import RuleRef
from ovsnp.pipeline.cookies import cookie
from ovsnp.pipeline.tables import BY_NAME


class Slot(NamedTuple):
    """What tells a flow from every other of the bridge."""

    table: int
    priority: int
    match: str


class Flow(msgspec.Struct, frozen=True, eq=False):
    """One flow; no actions means drop.

    ``note`` says what it is for, and is for people: flows that differ in nothing else are equal. ``rules`` are the
    policy rules it serves, ``number`` is that of its one rule (0: none, or several).
    """

    table: str
    priority: int
    match: Match
    actions: tuple[Action, ...] = ()
    note: FlowNote = FlowNote()
    rules: tuple[RuleRef, ...] = ()
    number: int = 0

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Flow):
            return NotImplemented
        return (
            self.match == other.match
            and self.actions == other.actions
            and self.rules == other.rules
            and (self.table, self.priority, self.number) == (other.table, other.priority, other.number)
        )

    def __ne__(self, other: object) -> bool:
        return not self == other  # a Struct has its own answer

    def __hash__(self) -> int:
        return hash((self.table, self.priority, self.match))

    @property
    def table_id(self) -> int:
        """The table's number on the bridge."""
        return BY_NAME[self.table].id

    @property
    def cookie(self) -> int:
        """64 bits: ovsnp's mark, the table, the rule."""
        return cookie(self.table_id, self.number)

    @property
    def slot(self) -> Slot:
        """Table, priority and match."""
        return Slot(self.table_id, self.priority, str(self.match))

    @property
    def actions_text(self) -> str:
        """The actions as ovs-ofctl writes them."""
        return ",".join(map(str, self.actions)) or "drop"
