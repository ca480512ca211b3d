"""The changes that an update makes to the flows and groups of a bridge."""

import msgspec

from ovsnp.flows.flow import Flow
from ovsnp.flows.group import Group


class FlowChanges(msgspec.Struct, frozen=True):
    """The flows and groups that are added, changed and deleted.

    A flow is the same flow as before if it has the same slot: table, priority and match. A changed flow has other
    actions, another cookie or other rules.
    """

    added: tuple[Flow, ...] = ()
    changed: tuple[Flow, ...] = ()
    deleted: tuple[Flow, ...] = ()
    groups_added: tuple[Group, ...] = ()
    groups_changed: tuple[Group, ...] = ()
    groups_deleted: tuple[Group, ...] = ()

    def __bool__(self) -> bool:
        return any(msgspec.structs.astuple(self))
