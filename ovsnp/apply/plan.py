"""Plans the changes to a bridge: the difference between its flows and groups and a program."""

from collections.abc import Iterable, Mapping

import msgspec

from ovsnp.apply.cut import EndpointConnections, to_cut
from ovsnp.errors import SwitchError
from ovsnp.flows.action import Lookup
from ovsnp.flows.flow import Flow
from ovsnp.flows.group import Bucket, Group
from ovsnp.flows.program import Program
from ovsnp.pipeline.cookies import is_ours
from ovsnp.pipeline.fields import IP_SRC
from ovsnp.pipeline.tables import BY_NAME
from ovsnp.switch.dump import InstalledFlow, InstalledGroup, groups_reached

_ASK = Lookup("SessionAffinity")
_CLIENT = tuple(f"{field.name}=" for field in IP_SRC.values())


class GroupChange(msgspec.Struct, frozen=True):
    """A group that gains and loses buckets; the other buckets keep their share of the clients."""

    group: Group
    gained: tuple[Bucket, ...]
    lost: tuple[int, ...]


class BridgePlan(msgspec.Struct, frozen=True):
    """The flows to add, to change, to replace and to delete; groups likewise.

    ``changed`` flows get other actions and keep their cookie, so their counters go on. ``replaced`` flows have the
    cookie of another rule, or a timeout or flag that ovsnp's flows do not have. ``cut`` are the connections that lose
    their endpoint.
    """

    added: tuple[Flow, ...]
    changed: tuple[Flow, ...]
    replaced: tuple[Flow, ...]
    deleted: tuple[InstalledFlow, ...]
    groups_added: tuple[Group, ...] = ()
    groups_changed: tuple[GroupChange, ...] = ()
    groups_replaced: tuple[Group, ...] = ()
    groups_deleted: tuple[int, ...] = ()
    cut: tuple[EndpointConnections, ...] = ()

    @property
    def groups(self) -> int:
        """The number of groups to add, delete or change."""
        return sum(map(len, (self.groups_added, self.groups_changed, self.groups_replaced, self.groups_deleted)))

    @property
    def groups_losing(self) -> set[int]:
        """The groups that may lose buckets."""
        changed = (change.group.id for change in self.groups_changed if change.lost)
        return {*changed, *(group.id for group in self.groups_replaced), *self.groups_deleted}

    def __bool__(self) -> bool:
        return any(msgspec.structs.astuple(self))


def plan(flows: Iterable[InstalledFlow], groups: Iterable[InstalledGroup], wanted: Program) -> BridgePlan:
    """Compare flows by table, priority and match, and groups by number; those of other programs are not touched.

    A group belongs to ovsnp if one of its flows sends packets to it, directly or through other groups. A group with a
    number that is wanted and to which no flow sends packets belongs to ovsnp too: somebody deleted its flows. Learned
    flows stay while a flow still asks for them. Raises SwitchError if a flow or group of another program is in the
    place of one of ovsnp's.
    """
    there, groups_there = list(flows), {group.id: group for group in groups}
    ours, others = (
        groups_reached((flow.actions for flow in there if is_ours(flow.cookie) is whose), groups_there)
        for whose in (True, False)
    )
    of_groups = _plan_groups(groups_there, ours, others - ours, wanted.groups)
    found = msgspec.structs.replace(_plan_flows(there, wanted.flows), **of_groups)
    cut = to_cut(there, groups_there, found.groups_losing, wanted.frontends) if found else ()
    return msgspec.structs.replace(found, cut=cut)


def _plan_groups(
    there: Mapping[int, InstalledGroup], ours: set[int], others: set[int], wanted: Iterable[Group]
) -> dict[str, tuple[object, ...]]:
    added, changed, replaced, kept = [], [], [], set()
    for group in wanted:
        found = there.get(group.id)
        kept.add(group.id)
        if found is None:
            added.append(group)
        elif group.id in others:
            raise SwitchError(
                f"group {group.id} has the number of one of ovsnp's own, but flows that are not ovsnp's use it, and"
                " nothing was changed; remove it (ovs-ofctl del-groups)"
            )
        elif found.head != group.head:
            replaced.append(group)
        elif change := _change(found, group):
            if group.fields:
                changed.append(change)
            else:
                # Open vSwitch before 3.2.6, 3.3.5, 3.4.3, 3.5.1 hashes to the inserted buckets only.
                replaced.append(group)
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


def _plan_flows(installed: Iterable[InstalledFlow], wanted: Iterable[Flow]) -> BridgePlan:
    there = {flow.slot: flow for flow in installed}
    added, changed, replaced, asked = [], [], [], set()
    for flow in wanted:
        if _ASK in flow.actions:
            asked.add(frozenset(str(flow.match).split(",")))
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
    deleted = tuple(flow for flow in there.values() if is_ours(flow.cookie) and not _keeps_endpoint(flow, asked))
    return BridgePlan(tuple(added), tuple(changed), tuple(replaced), deleted)


def _keeps_endpoint(flow: InstalledFlow, asked: set[frozenset[str]]) -> bool:
    """True if Open vSwitch learned the flow, and a Service with sessionAffinity still asks for it."""
    port = frozenset(part for part in flow.match if not part.startswith(_CLIENT))
    return flow.table == BY_NAME[_ASK.table].id and port in asked
