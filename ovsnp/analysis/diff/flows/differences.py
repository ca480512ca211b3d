"""A preview of `apply` as differences: what is on the bridge beside what would be."""

from collections.abc import Iterator, Sequence

import msgspec

from ovsnp.analysis.diff.flows.rule_names import RuleNames
from ovsnp.apply import Preview
from ovsnp.apply.cut import EndpointConnections
from ovsnp.flows.flow import Flow
from ovsnp.flows.group import Group
from ovsnp.flows.note import FlowNote
from ovsnp.ir.ruleset import RuleRef
from ovsnp.model.cluster import Cluster
from ovsnp.pipeline.tables import TABLES
from ovsnp.switch.dump import InstalledFlow, InstalledGroup

_TABLES = {table.id: table.name for table in TABLES}


class FlowDifference(msgspec.Struct, frozen=True):
    """A flow that comes (no ``before``), goes (no ``after``), or gets other actions or another rule.

    ``was_of`` are the policy rules that it is of now, ``unknown`` the numbers of those that none of the policies has.
    """

    before: InstalledFlow | None
    after: Flow | None
    was_of: tuple[RuleRef, ...] = ()
    unknown: tuple[int, ...] = ()

    @property
    def rules(self) -> tuple[RuleRef, ...]:
        """The policy rules that it is of, before or after."""
        return tuple(sorted({*self.was_of, *(self.after.rules if self.after else ())}))

    @property
    def table(self) -> int:
        """The table's number on the bridge."""
        return self.after.table_id if self.after else self.before.table if self.before else 0

    @property
    def table_name(self) -> str:
        """The table's name; its number, where ovsnp has no such table now."""
        return _TABLES.get(self.table, str(self.table))

    @property
    def note(self) -> FlowNote:
        """What the flow is for; nothing is known of one that goes."""
        return self.after.note if self.after else FlowNote()


class GroupDifference(msgspec.Struct, frozen=True):
    """A group that comes, goes or gets other buckets."""

    before: InstalledGroup | None
    after: Group | None


class Differences(msgspec.Struct, frozen=True):
    """All that `apply` would do.

    ``bridge`` is in words, ``cut`` what it would cut of the connections that are open. ``forgotten`` is how many
    conntrack would forget: those of pods that are gone, or all where nobody knows the pods before (not ``known``).
    """

    bridge: tuple[str, ...]
    groups: tuple[GroupDifference, ...]
    flows: tuple[FlowDifference, ...]
    cut: tuple[EndpointConnections, ...]
    forgotten: int
    known: bool

    def __bool__(self) -> bool:
        return bool(self.bridge or self.groups or self.flows or self.forgotten)


def differences(preview: Preview, cluster: Cluster) -> Differences:
    """What differs, flows by table as `compile` orders them, each that goes behind those that come."""
    names = RuleNames(preview.program, cluster)
    return Differences(
        preview.bridge,
        tuple(_groups(preview)),
        tuple(sorted(_flows(preview, names), key=_table)),
        preview.plan.cut,
        preview.forgotten,
        preview.known,
    )


def _table(difference: FlowDifference) -> int:
    return difference.table


def _flows(preview: Preview, names: RuleNames) -> Iterator[FlowDifference]:
    plan = preview.plan
    there = {flow.slot: flow for flow in preview.flows}
    for flow in _in_order(preview, (*plan.added, *plan.changed, *plan.replaced)):
        table, priority, match = flow.slot
        before = there.get((table, priority, frozenset(match.split(",")) - {""}))
        yield FlowDifference(before, flow, *(names.of(before) if before else ()))
    for gone in sorted(plan.deleted, key=lambda each: (-each.priority, each.text)):
        yield FlowDifference(gone, None, *names.of(gone))


def _in_order(preview: Preview, flows: Sequence[Flow]) -> list[Flow]:
    position = {flow.slot: index for index, flow in enumerate(preview.program.flows)}
    return sorted(flows, key=lambda flow: position[flow.slot])


def _groups(preview: Preview) -> Iterator[GroupDifference]:
    plan = preview.plan
    changed = (*plan.groups_added, *(change.group for change in plan.groups_changed), *plan.groups_replaced)
    for group in sorted(changed, key=lambda each: (each.service, each.port, each.id)):
        yield GroupDifference(preview.groups.get(group.id), group)
    for gone in plan.groups_deleted:
        yield GroupDifference(preview.groups[gone], None)
