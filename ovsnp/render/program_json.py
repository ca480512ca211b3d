"""The program as JSON, for tools."""

from collections.abc import Iterable, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from ovsnp.document import Count, document_text
from ovsnp.flows.flow import Flow
from ovsnp.flows.group import Group
from ovsnp.flows.program import Program
from ovsnp.ir.ruleset import RuleRef
from ovsnp.model.options import Encap
from ovsnp.pipeline.tables import TABLES

Priority = Annotated[int, Meta(ge=0, le=65535)]


class PolicyRule(msgspec.Struct, frozen=True):
    """A rule of a NetworkPolicy."""

    namespace: str
    name: str
    rule: Annotated[str, Meta(pattern=r"^(ingress|egress)\[[0-9]+\]$")]


class CompiledTable(msgspec.Struct, frozen=True):
    """A table of the bridge."""

    id: Annotated[int, Meta(ge=0, le=254)]
    name: str


class CompiledFlow(msgspec.Struct, frozen=True):
    """A flow, with the policy rules that it serves."""

    table: Annotated[str, Meta(description="the name of the table")]
    priority: Priority
    cookie: Annotated[str, Meta(pattern="^0x0a5e[0-9a-f]{12}$")]
    match: Annotated[str, Meta(description="in the notation of ovs-ofctl, without the priority")]
    actions: Annotated[str, Meta(description="in the notation of ovs-ofctl")]
    policies: Annotated[Sequence[PolicyRule], Meta(description="the policy rules that the flow serves")]


class CompiledBucket(msgspec.Struct, frozen=True):
    """One endpoint of a group."""

    id: Count
    actions: Annotated[str, Meta(description="in the notation of ovs-ofctl")]


class CompiledGroup(msgspec.Struct, frozen=True):
    """The endpoints of a port of a Service."""

    id: Count
    service: Annotated[str, Meta(description="NAMESPACE/NAME")]
    port: Annotated[str, Meta(description="the port of the Service, such as 80/TCP")]
    buckets: Sequence[CompiledBucket]


class CompileDocument(msgspec.Struct, frozen=True):
    """The program of one bridge; later versions may add keys, and never change a key."""

    bridge: str
    node: Annotated[str | None, Meta(description="null: the input has no Node, and --node names none")]
    encap: Encap
    tables: Sequence[CompiledTable]
    flows: Sequence[CompiledFlow]
    groups: Sequence[CompiledGroup]


def render_json(program: Program) -> str:
    """The program as one document."""
    options = program.options
    document = CompileDocument(
        bridge=options.bridge,
        node=options.node,
        encap=options.encap,
        tables=[CompiledTable(table.id, table.name) for table in TABLES],
        flows=[compiled_flow(flow) for flow in program.flows],
        groups=[_group(group) for group in program.groups],
    )
    return document_text(document)


def compiled_flow(flow: Flow) -> CompiledFlow:
    """A flow as documents have it."""
    return CompiledFlow(
        table=flow.table,
        priority=flow.priority,
        cookie=f"{flow.cookie:#018x}",
        match=str(flow.match),
        actions=flow.actions_text,
        policies=policy_rules(flow.rules),
    )


def policy_rules(rules: Iterable[RuleRef]) -> list[PolicyRule]:
    """The names of policy rules: namespace, policy, and path of the rule."""
    return [PolicyRule(rule.namespace, rule.policy, f"{rule.direction.section}[{rule.index}]") for rule in rules]


def _group(group: Group) -> CompiledGroup:
    return CompiledGroup(
        id=group.id,
        service=group.service,
        port=group.port,
        buckets=[CompiledBucket(bucket.id, ",".join(map(str, bucket.actions))) for bucket in group.buckets],
    )
