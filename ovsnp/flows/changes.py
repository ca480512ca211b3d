"""The changes that an update makes to the flows and groups of a bridge."""

import msgspec

from ovsnp.flows.flow import Flow
from ovsnp.flows.group import Group
from ovsnp.ir.frontend import Frontend


class FlowChanges(msgspec.Struct, frozen=True):
    """The flows and groups that are added, changed and deleted.

    A flow is the same flow as before if it has the same slot: table, priority and match. A changed flow has other
    actions, another cookie or other rules. ``frontends_before`` and ``frontends_after`` are the ports of the Services
    that have changed.
    """

    added: tuple[Flow, ...] = ()
    changed: tuple[Flow, ...] = ()
    deleted: tuple[Flow, ...] = ()
    groups_added: tuple[Group, ...] = ()
    groups_changed: tuple[Group, ...] = ()
    groups_deleted: tuple[Group, ...] = ()
    frontends_before: tuple[Frontend, ...] = ()
    frontends_after: tuple[Frontend, ...] = ()

    def __bool__(self) -> bool:
        flows = self.added or self.changed or self.deleted
        return bool(flows or self.groups_added or self.groups_changed or self.groups_deleted)
