"""All flows and groups of a bridge, unit by unit; the store checks every flow that it takes."""

from collections.abc import Mapping

import msgspec

from ovsnp.errors import DeclarationError
from ovsnp.flows.absence import CONCERNED, Absences
from ovsnp.flows.changes import FlowChanges
from ovsnp.flows.check import check_flow
from ovsnp.flows.conjunctions import CONJUNCTIVE, Conjunctions
from ovsnp.flows.flow import Flow, Slot
from ovsnp.flows.group import Group
from ovsnp.flows.units import Unit, UnitChanges


class FlowStore:
    """The flows by slot and the groups by number; an update returns the changes."""

    def __init__(self) -> None:
        self._flows: dict[Slot, Flow] = {}
        self._groups: dict[int, Group] = {}
        self._slots: dict[Unit, tuple[Slot, ...]] = {}
        self._numbers: dict[Unit, tuple[int, ...]] = {}
        self._conjunctions = Conjunctions()
        self._absences = {table: Absences() for table in CONCERNED}

    def in_order(self) -> tuple[Flow, ...]:
        """All flows, sorted by table, then from the highest priority down, then by the note's words and the match."""
        return tuple(flow for _, flow in sorted(self._flows.items(), key=_order))

    def update(self, changes: UnitChanges) -> FlowChanges:
        """Replace units, and return the changes of flows and groups.

        Raises DeclarationError if a flow contradicts the declaration of the pipeline, two flows share a slot, a verdict
        depends on the absence of a field, or a conjunction is not whole.
        """
        flows = self._update_flows(changes.flows)
        for absences in self._absences.values():
            absences.check()
        self._conjunctions.check()
        groups = self._update_groups(changes.groups)
        return FlowChanges(*flows, *groups, changes.frontends_before, changes.frontends_after)

    def replace(self, changes: UnitChanges) -> FlowChanges:
        """Replace all units by these; returns and raises as `update` does."""
        flows = {**dict.fromkeys(self._slots, ()), **changes.flows}
        groups = {**dict.fromkeys(self._numbers, ()), **changes.groups}
        return self.update(msgspec.structs.replace(changes, flows=flows, groups=groups))

    def _update_flows(
        self, units: Mapping[Unit, tuple[Flow, ...]]
    ) -> tuple[tuple[Flow, ...], tuple[Flow, ...], tuple[Flow, ...]]:
        """The flows that are added, changed and deleted."""
        before = {slot: self._flows.pop(slot) for unit in units for slot in self._slots.pop(unit, ())}
        added: list[Flow] = []
        changed: list[Flow] = []
        for unit, flows in units.items():
            slots = []
            for flow in flows:
                slot = flow.slot
                last = before.pop(slot, None)
                if last != flow:
                    self._replace(flow.table, slot, last, flow)
                    (changed if last else added).append(flow)
                self._flows[slot] = flow
                slots.append(slot)
            if slots:
                self._slots[unit] = tuple(slots)
        for slot, flow in before.items():
            self._replace(flow.table, slot, flow, None)
        return tuple(added), tuple(changed), tuple(before.values())

    def _replace(self, table: str, slot: Slot, before: Flow | None, after: Flow | None) -> None:
        """Check the flow that a slot gets (None: there is no flow), and note what `update` has to check at its end."""
        if after:
            if slot in self._flows:
                raise DeclarationError(f"two flows share {slot}")
            check_flow(after)
        if absences := self._absences.get(table):
            if before:
                absences.remove(slot)
            if after:
                absences.add(slot, after)
        if table in CONJUNCTIVE:
            self._conjunctions.replace(before, after)

    def _update_groups(
        self, units: Mapping[Unit, tuple[Group, ...]]
    ) -> tuple[tuple[Group, ...], tuple[Group, ...], tuple[Group, ...]]:
        """The groups that are added, changed and deleted; no two ports have groups with the same number."""
        before = {number: self._groups.pop(number) for unit in units for number in self._numbers.pop(unit, ())}
        after = {group.id: group for groups in units.values() for group in groups}
        self._groups.update(after)
        for unit, groups in units.items():
            if groups:
                self._numbers[unit] = tuple(group.id for group in groups)
        return (
            tuple(group for number, group in after.items() if number not in before),
            tuple(group for number, group in after.items() if number in before and before[number] != group),
            tuple(group for number, group in before.items() if number not in after),
        )


def _order(item: tuple[Slot, Flow]) -> tuple[int, int, str, str]:
    (table, priority, match), flow = item
    return table, -priority, str(flow.note), match
