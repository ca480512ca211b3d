"""The program as JSON, for tools."""

import json
from collections.abc import Iterable

from ovsnp.flows.flow import Flow
from ovsnp.flows.group import Group
from ovsnp.flows.program import Program
from ovsnp.ir.ruleset import RuleRef
from ovsnp.pipeline.tables import TABLES


def render_json(program: Program) -> str:
    """The program as INTERFACE has it; keys may be added in later versions, never changed."""
    options = program.options
    document = {
        "bridge": options.bridge,
        "node": options.node,
        "encap": options.encap,
        "tables": [{"id": table.id, "name": table.name} for table in TABLES],
        "flows": [flow_document(flow) for flow in program.flows],
        "groups": [_group(group) for group in program.groups],
    }
    return json.dumps(document, indent=2) + "\n"


def flow_document(flow: Flow) -> dict[str, object]:
    """A flow, with the policy rules that it serves."""
    return {
        "table": flow.table,
        "priority": flow.priority,
        "cookie": f"{flow.cookie:#018x}",
        "match": str(flow.match),
        "actions": flow.actions_text,
        "policies": rule_documents(flow.rules),
    }


def rule_documents(rules: Iterable[RuleRef]) -> list[dict[str, str]]:
    """Policy rules by their names."""
    return [
        {"namespace": rule.namespace, "name": rule.policy, "rule": f"{rule.direction.section}[{rule.index}]"}
        for rule in rules
    ]


def _group(group: Group) -> dict[str, object]:
    return {
        "id": group.id,
        "service": group.service,
        "port": group.port,
        "buckets": [{"id": bucket.id, "actions": ",".join(map(str, bucket.actions))} for bucket in group.buckets],
    }
