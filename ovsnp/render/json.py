"""The program as JSON, for tools."""

import json

from ovsnp.flows.flow import Flow
from ovsnp.flows.group import Group
from ovsnp.flows.program import Program
from ovsnp.pipeline.tables import TABLES


def render_json(program: Program) -> str:
    """The program as INTERFACE has it; keys may be added in later versions, never changed."""
    options = program.options
    document = {
        "bridge": options.bridge,
        "node": options.node,
        "encap": options.encap,
        "tables": [{"id": table.id, "name": table.name} for table in TABLES],
        "flows": [_flow(flow) for flow in program.flows],
        "groups": [_group(group) for group in program.groups],
    }
    return json.dumps(document, indent=2) + "\n"


def _flow(flow: Flow) -> dict[str, object]:
    return {
        "table": flow.table,
        "priority": flow.priority,
        "cookie": f"{flow.cookie:#018x}",
        "match": str(flow.match),
        "actions": flow.actions_text,
        "policies": [
            {"namespace": rule.namespace, "name": rule.policy, "rule": f"{rule.direction.section}[{rule.index}]"}
            for rule in flow.rules
        ],
    }


def _group(group: Group) -> dict[str, object]:
    return {
        "id": group.id,
        "service": group.service,
        "port": group.port,
        "buckets": [{"id": bucket.id, "actions": ",".join(map(str, bucket.actions))} for bucket in group.buckets],
    }
