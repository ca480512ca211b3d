"""A preview of `apply` as differences: each flow and group on the bridge, and the one that would replace it."""

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

    ``was_of`` are the policy rules that the flow on the bridge serves, ``unknown`` the numbers of its rules that none
    of the policies has.
    """

    before: InstalledFlow | None
    after: Flow | None
    was_of: tuple[RuleRef, ...] = ()
    unknown: tuple[int, ...] = ()

    @property
    def rules(self) -> tuple[RuleRef, ...]:
        """The policy rules that the flow serves, before or after."""
        return tuple(sorted({*self.was_of, *(self.after.rules if self.after else ())}))

    @property
    def table(self) -> int:
        """The table's number on the bridge."""
        return self.after.table_id if self.after else self.before.table if self.before else 0

    @property
    def table_name(self) -> str:
        """The table's name; its number if ovsnp has no such table now."""
        return _TABLES.get(self.table, str(self.table))

    @property
    def note(self) -> FlowNote:
        """The purpose of the flow; the purpose of a flow that goes is not known."""
        return self.after.note if self.after else FlowNote()


class GroupDifference(msgspec.Struct, frozen=True):
    """A group that comes, goes or gets other buckets."""

    before: InstalledGroup | None
    after: Group | None


class Differences(msgspec.Struct, frozen=True):
    """All changes that `apply` would make.

    ``bridge`` are the changes of the bridge itself, in words. ``cut`` are the open connections that `apply` would cut.
    ``forgotten`` is the number of connections that conntrack would forget: those of pods that are gone, or all if there
    is no record of the pods before (not ``known``).
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
    """The differences; in each table the flows that come or change, in the order of `compile`, then those that go."""
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
