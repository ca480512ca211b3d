"""The differences as JSON."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from ovsnp.analysis.diff.flows.differences import Differences, FlowDifference
from ovsnp.apply.apply_document import EveryOddInterface, odd_interfaces
from ovsnp.apply.cut import EndpointConnections
from ovsnp.apply.preview import Preview
from ovsnp.document import Count
from ovsnp.flows.flow import Flow
from ovsnp.flows.group import Group
from ovsnp.model.address import format_address
from ovsnp.model.options import Options
from ovsnp.model.ports import Protocol
from ovsnp.render import PolicyRule, Priority, compiled_flow, policy_rules
from ovsnp.switch.dump import InstalledFlow, InstalledGroup


class DiffFlow(msgspec.Struct, frozen=True):
    """A flow, with the policy rules that it serves."""

    table: Annotated[str, Meta(description="the name of the table, or the number where ovsnp has no such table")]
    priority: Priority
    cookie: Annotated[str, Meta(pattern="^0x[0-9a-f]{16}$")]
    match: str
    actions: str
    policies: Sequence[PolicyRule]
    unknown_rules: Annotated[
        Sequence[Annotated[str, Meta(pattern="^0x[0-9a-f]{8}$")]],
        Meta(description="rule numbers of a deleted flow that no policy in the manifests has"),
    ]


class DiffInstalledFlow(DiffFlow, frozen=True):
    """A flow that is on the bridge."""

    extras: Annotated[Sequence[str], Meta(description="timeouts, importance and flags")]


class DiffChangedFlow(msgspec.Struct, frozen=True):
    """A flow that keeps table, priority and match."""

    before: DiffInstalledFlow
    after: DiffFlow


class DiffFlows(msgspec.Struct, frozen=True):
    """The flows that differ."""

    added: Sequence[DiffFlow]
    changed: Annotated[Sequence[DiffChangedFlow], Meta(description="flows that keep table, priority and match")]
    deleted: Sequence[DiffInstalledFlow]


class DiffGroup(msgspec.Struct, frozen=True):
    """A group: the endpoints of a port of a Service."""

    id: int
    head: Annotated[str, Meta(description="the group without buckets, in the notation of ovs-ofctl")]
    service: Annotated[str | None, Meta(description="NAMESPACE/NAME; null: a group on the bridge has no name")]
    port: str | None
    buckets: Annotated[Mapping[str, str], Meta(description="buckets by number")]


class DiffChangedGroup(msgspec.Struct, frozen=True):
    """A group that keeps its number."""

    before: DiffGroup
    after: DiffGroup


class DiffGroups(msgspec.Struct, frozen=True):
    """The groups that differ."""

    added: Sequence[DiffGroup]
    changed: Sequence[DiffChangedGroup]
    deleted: Sequence[DiffGroup]


class DiffEndpoint(msgspec.Struct, frozen=True):
    """An endpoint of a Service."""

    address: str
    port: int


class DiffCut(msgspec.Struct, frozen=True):
    """The connections to a cluster IP that have one endpoint."""

    protocol: Protocol
    address: Annotated[str, Meta(description="the cluster IP")]
    port: int
    endpoint: DiffEndpoint


class DiffDocument(msgspec.Struct, frozen=True):
    """What apply would do; later versions may add keys, and never change a key."""

    bridge: str
    node: str | None
    differences: Annotated[bool, Meta(description="true: apply would change something")]
    to_do: Annotated[
        Sequence[str], Meta(description="what apply would do to the bridge itself, in the words of `done` of apply")
    ]
    flows: DiffFlows
    groups: DiffGroups
    cut: Annotated[
        Sequence[DiffCut],
        Meta(description="connections that apply would cut, if they are open, as their endpoint goes"),
    ]
    forgotten: Annotated[
        Count,
        Meta(
            description="the number of connections of pods that are gone, which conntrack would forget; all connections"
            " where holders_known is false"
        ),
    ]
    holders_known: Annotated[bool, Meta(description="false: there is no record of who held which address")]
    without_port: Annotated[
        Sequence[str],
        Meta(
            description="local pods (NAMESPACE/NAME) that apply leaves out, as they have no port on the bridge, and"
            " local pods that are closed"
        ),
    ]
    odd_interfaces: EveryOddInterface


def document(options: Options, found: Differences, seen: Preview) -> DiffDocument:
    """The differences, and what else apply would do."""
    return DiffDocument(
        bridge=options.bridge,
        node=options.node,
        differences=bool(found),
        to_do=found.bridge,
        flows=DiffFlows(
            added=[_flow(each.after) for each in found.flows if each.after and not each.before],
            changed=[
                DiffChangedFlow(_installed(each, each.before), _flow(each.after))
                for each in found.flows
                if each.before and each.after
            ],
            deleted=[_installed(each, each.before) for each in found.flows if each.before and not each.after],
        ),
        groups=DiffGroups(
            added=[_group(each.after) for each in found.groups if each.after and not each.before],
            changed=[
                DiffChangedGroup(_there(each.before), _group(each.after))
                for each in found.groups
                if each.before and each.after
            ],
            deleted=[_there(each.before) for each in found.groups if each.before and not each.after],
        ),
        cut=[_cut(each) for each in found.cut],
        forgotten=found.forgotten,
        holders_known=found.known,
        without_port=seen.without_port,
        odd_interfaces=odd_interfaces(seen.odd),
    )


def _flow(flow: Flow) -> DiffFlow:
    return DiffFlow(**msgspec.structs.asdict(compiled_flow(flow)), unknown_rules=())


def _installed(difference: FlowDifference, flow: InstalledFlow) -> DiffInstalledFlow:
    return DiffInstalledFlow(
        table=difference.table_name,
        priority=flow.priority,
        cookie=f"{flow.cookie:#018x}",
        match=str(difference.after.match) if difference.after else flow.match_text,
        actions=flow.actions,
        policies=policy_rules(difference.was_of),
        unknown_rules=[f"{number:#010x}" for number in difference.unknown],
        extras=sorted(flow.extras),
    )


def _group(group: Group) -> DiffGroup:
    return DiffGroup(
        id=group.id,
        head=group.head,
        service=group.service,
        port=group.port,
        buckets={str(bucket.id): str(bucket) for bucket in group.buckets},
    )


def _there(group: InstalledGroup) -> DiffGroup:
    return DiffGroup(
        id=group.id,
        head=group.head,
        service=None,
        port=None,
        buckets={str(number): text for number, text in group.buckets.items()},
    )


def _cut(each: EndpointConnections) -> DiffCut:
    return DiffCut(
        protocol=each.protocol,
        address=format_address(each.address),
        port=each.port,
        endpoint=DiffEndpoint(format_address(each.backend.address), each.backend.port),
    )
