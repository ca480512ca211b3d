"""What has to change on a bridge: the difference between what is there and a program."""

from collections.abc import Iterable

import msgspec

from ovsnp.errors import SwitchError
from ovsnp.flows.flow import Flow
from ovsnp.flows.group import Bucket, Group
from ovsnp.flows.program import Program
from ovsnp.pipeline.cookies import is_ours
from ovsnp.switch.dump import InstalledFlow, InstalledGroup, groups_used


class GroupChange(msgspec.Struct, frozen=True):
    """A group that gets and loses buckets; the others stay, and with them their share of the clients."""

    group: Group
    gained: tuple[Bucket, ...]
    lost: tuple[int, ...]


class Plan(msgspec.Struct, frozen=True):
    """The flows to add, to give other actions, to put in another's place, and to delete; groups likewise.

    ``changed`` keep their cookie, so their counters go on; ``replaced`` have another rule's,
    or had a timeout or flag that ovsnp's flows have not.
    """

    added: tuple[Flow, ...]
    changed: tuple[Flow, ...]
    replaced: tuple[Flow, ...]
    deleted: tuple[InstalledFlow, ...]
    groups_added: tuple[Group, ...] = ()
    groups_changed: tuple[GroupChange, ...] = ()
    groups_replaced: tuple[Group, ...] = ()
    groups_deleted: tuple[int, ...] = ()

    @property
    def groups(self) -> int:
        """How many groups come, go or change."""
        return sum(map(len, (self.groups_added, self.groups_changed, self.groups_replaced, self.groups_deleted)))

    def __bool__(self) -> bool:
        return any(msgspec.structs.astuple(self))


def plan(flows: Iterable[InstalledFlow], groups: Iterable[InstalledGroup], wanted: Program) -> Plan:
    """Compare flows by table, priority and match, and groups by number; those of others are not touched.

    A group is ovsnp's where one of its flows sends packets to it. Raises SwitchError where something of others'
    stands in the very place of ours.
    """
    there = list(flows)
    ours = {group for flow in there if is_ours(flow.cookie) for group in groups_used(flow)}
    return msgspec.structs.replace(_plan_flows(there, wanted.flows), **_plan_groups(groups, ours, wanted.groups))


def _plan_groups(
    installed: Iterable[InstalledGroup], ours: set[int], wanted: Iterable[Group]
) -> dict[str, tuple[object, ...]]:
    there = {group.id: group for group in installed}
    added, changed, replaced, kept = [], [], [], set()
    for group in wanted:
        found = there.get(group.id)
        kept.add(group.id)
        if found is None:
            added.append(group)
        elif group.id not in ours:
            raise SwitchError(
                f"group {group.id} is not ovsnp's, and nothing was changed; remove it (ovs-ofctl del-groups)"
            )
        elif found.head != group.head:
            replaced.append(group)
        elif change := _change(found, group):
            changed.append(change)
    return {
        "groups_added": tuple(added),
        "groups_changed": tuple(changed),
        "groups_replaced": tuple(replaced),
        "groups_deleted": tuple(sorted(ours & there.keys() - kept)),
    }


def _change(found: InstalledGroup, group: Group) -> GroupChange | None:
    gained = tuple(bucket for bucket in group.buckets if found.buckets.get(bucket.id) != str(bucket))
    stay = {bucket.id for bucket in group.buckets} - {bucket.id for bucket in gained}
    lost = tuple(sorted(found.buckets.keys() - stay))
    return GroupChange(group, gained, lost) if gained or lost else None


def _plan_flows(installed: Iterable[InstalledFlow], wanted: Iterable[Flow]) -> Plan:
    there = {flow.slot: flow for flow in installed}
    added, changed, replaced = [], [], []
    for flow in wanted:
        table, priority, match = flow.slot
        found = there.pop((table, priority, frozenset(match.split(",")) - {""}), None)
        if found is None:
            added.append(flow)
        elif not is_ours(found.cookie):
            raise SwitchError(
                f"a flow that is not ovsnp's stands in the place of one of its own, and nothing was changed:"
                f" {found.text}; remove it, or give it another priority"
            )
        elif found.cookie != flow.cookie or found.extras:
            replaced.append(flow)
        elif found.actions != flow.actions_text:
            changed.append(flow)
    deleted = tuple(flow for flow in there.values() if is_ours(flow.cookie))
    return Plan(tuple(added), tuple(changed), tuple(replaced), deleted)
