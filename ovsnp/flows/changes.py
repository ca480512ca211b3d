"""What an update changes in the flows and groups of a bridge."""

from collections.abc import Iterable, Mapping
from typing import TypeVar

import msgspec

from ovsnp.flows.flow import Flow, Slot
from ovsnp.flows.group import Group

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class FlowChanges(msgspec.Struct, frozen=True):
    """The flows that came, that have other actions, another cookie or other rules, and that went; groups likewise.

    A flow is the same flow as before if it stands in the same slot: table, priority and match.
    """

    added: tuple[Flow, ...] = ()
    changed: tuple[Flow, ...] = ()
    deleted: tuple[Flow, ...] = ()
    groups_added: tuple[Group, ...] = ()
    groups_changed: tuple[Group, ...] = ()
    groups_deleted: tuple[Group, ...] = ()

    def __bool__(self) -> bool:
        return any(msgspec.structs.astuple(self))


def difference(
    old_flows: Mapping[Slot, Flow],
    new_flows: Mapping[Slot, Flow],
    old_groups: Mapping[int, Group],
    new_groups: Mapping[int, Group],
) -> FlowChanges:
    """What makes the old flows and groups the new ones."""
    return FlowChanges(*_compared(old_flows, new_flows), *_compared(old_groups, new_groups))


def by_slot(flows: Iterable[Flow]) -> dict[Slot, Flow]:
    """Flows by table, priority and match."""
    return {flow.slot: flow for flow in flows}


def by_number(groups: Iterable[Group]) -> dict[int, Group]:
    """Groups by their numbers."""
    return {group.id: group for group in groups}


def _compared(
    old: Mapping[_Key, _Value], new: Mapping[_Key, _Value]
) -> tuple[tuple[_Value, ...], tuple[_Value, ...], tuple[_Value, ...]]:
    """The values that came, changed and went."""
    return (
        tuple(value for key, value in new.items() if key not in old),
        tuple(value for key, value in new.items() if key in old and old[key] != value),
        tuple(value for key, value in old.items() if key not in new),
    )
