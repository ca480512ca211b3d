"""Checks that no verdict depends on the absence of a field, which the kernel datapath cannot match.

`ovsnp.pipeline.datapath` names the fields and their witnesses.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable

from ovsnp.errors import DeclarationError
from ovsnp.flows.flow import Flow, Slot
from ovsnp.flows.match import Term
from ovsnp.pipeline.datapath import WITNESS
from ovsnp.pipeline.fields import Field
from ovsnp.pipeline.tables import TABLES

CONCERNED = frozenset(table.name for table in TABLES if table.matches & WITNESS.keys())
"""The tables that match a field that has a witness."""


class Absences:
    """The flows of one table, and the check of these flows.

    A flow that matches a field that has a witness must match the witness, too. Every other flow of the table drops
    packets with the witness, or does not match them. The table drops a packet that no flow matches.
    """

    def __init__(self) -> None:
        self._witnessed: dict[Slot, Flow] = {}
        self._others: dict[Slot, Flow] = {}
        self._values: dict[Field, Counter[int]] = defaultdict(Counter)
        self._unchecked: dict[Slot, Flow] = {}
        self._stale = False

    def add(self, slot: Slot, flow: Flow) -> None:
        """Add a flow; raises DeclarationError if the flow matches a field without the field's witness."""
        if witnessed := _witnessed(flow):
            _check_witness(flow, witnessed)
            self._witnessed[slot] = flow
            self._count(flow, 1)
        else:
            self._others[slot] = self._unchecked[slot] = flow

    def remove(self, slot: Slot) -> None:
        """Remove a flow."""
        if flow := self._witnessed.pop(slot, None):
            self._count(flow, -1)
        else:
            self._others.pop(slot)
            self._unchecked.pop(slot, None)

    def check(self) -> None:
        """Raises DeclarationError if a verdict depends on the absence of a field that has a witness."""
        unchecked, self._unchecked = self._unchecked, {}
        if self._stale:
            self._stale, unchecked = False, self._others
        if self._witnessed and unchecked:
            self._check_others(unchecked.values())

    def _count(self, flow: Flow, by: int) -> None:
        self._stale = True
        for field, value, mask in flow.match.terms:
            if mask == field.full_mask:
                self._values[field][value] += by

    def _check_others(self, others: Iterable[Flow]) -> None:
        """Raises DeclarationError if a flow with actions may match a packet with the witness.

        It matches no such packet if it requires a value of some field that all flows with the witness match in full,
        and none of them with this value.
        """
        total = len(self._witnessed)
        whole = {field: +values for field, values in self._values.items() if values.total() == total}
        for flow in others:
            if flow.actions and not any(
                term.field in whole and term.mask == term.field.full_mask and term.value not in whole[term.field]
                for term in flow.match.terms
            ):
                raise DeclarationError(f"{flow.slot} takes a packet where a field is absent that another flow matches")


def _witnessed(flow: Flow) -> list[Field]:
    return [term.field for term in flow.match.terms if term.field in WITNESS]


def _check_witness(flow: Flow, fields: Iterable[Field]) -> None:
    for field in fields:
        witness = WITNESS[field]
        if Term(witness.field, witness.value, witness.field.full_mask) not in flow.match.terms:
            raise DeclarationError(f"{flow.slot} matches {field.name} without {witness.field.name}={witness.value}")
