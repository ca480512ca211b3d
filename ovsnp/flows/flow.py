"""A flow: its table and priority, its match, its actions, and the policy rules that it serves."""

from typing import NamedTuple

import msgspec

from ovsnp.flows.action import Action
from ovsnp.flows.match import Match
from ovsnp.flows.note import FlowNote
from ovsnp.ir.ruleset import RuleRef
from ovsnp.pipeline.cookies import cookie
from ovsnp.pipeline.tables import BY_NAME


class Slot(NamedTuple):
    """The identity of a flow: no two flows of a bridge have the same slot."""

    table: int
    priority: int
    match: str


class Flow(msgspec.Struct, frozen=True, eq=False):
    """One flow; without actions, or with `ToController` alone, it drops the packet.

    ``note`` says what the flow is for. It is for people: flows that differ in nothing else are equal. ``rules`` are the
    policy rules that the flow serves. ``number`` is the number of the rule by which the flow admits: the first, where
    several rules have the same flow; 0 if the flow admits by no rule.
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
        return not self == other  # msgspec.Struct has a __ne__ of its own

    def __hash__(self) -> int:
        return hash((self.table, self.priority, self.match))

    @property
    def table_id(self) -> int:
        """The table's number on the bridge."""
        return BY_NAME[self.table].id

    @property
    def cookie(self) -> int:
        """The cookie, 64 bits: the mark of ovsnp, the table, the rule."""
        return cookie(self.table_id, self.number)

    @property
    def slot(self) -> Slot:
        """Table, priority and match."""
        return Slot(self.table_id, self.priority, str(self.match))

    @property
    def actions_text(self) -> str:
        """The actions as ovs-ofctl writes them."""
        return ",".join(map(str, self.actions)) or "drop"
