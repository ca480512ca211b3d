"""The differences as JSON; docs/diff.schema.json is its schema."""

from typing import Any

import msgspec

from ovsnp.analysis.diff.flows.differences import Differences, FlowDifference, GroupDifference
from ovsnp.apply.cut import EndpointConnections
from ovsnp.apply.preview import Preview
from ovsnp.flows.flow import Flow
from ovsnp.flows.group import Group
from ovsnp.model.address import format_address
from ovsnp.model.options import Options
from ovsnp.render import flow_document, rule_documents
from ovsnp.switch.dump import InstalledFlow, InstalledGroup


def document(options: Options, found: Differences, seen: Preview) -> dict[str, Any]:
    """One document; keys may be added in later versions, never changed."""
    return {
        "bridge": options.bridge,
        "node": options.node,
        "differences": bool(found),
        "to_do": list(found.bridge),
        "flows": {
            "added": [_flow(each.after) for each in found.flows if each.after and not each.before],
            "changed": [
                {"before": _installed(each, each.before), "after": _flow(each.after)}
                for each in found.flows
                if each.before and each.after
            ],
            "deleted": [_installed(each, each.before) for each in found.flows if each.before and not each.after],
        },
        "groups": {
            "added": [_group(each.after) for each in found.groups if each.after and not each.before],
            "changed": [_changed(each) for each in found.groups if each.before and each.after],
            "deleted": [_there(each.before) for each in found.groups if each.before and not each.after],
        },
        "cut": [_given(each) for each in found.cut],
        "forgotten": found.forgotten,
        "holders_known": found.known,
        "without_port": list(seen.without_port),
        "odd_interfaces": msgspec.to_builtins(seen.odd),
    }


def _flow(flow: Flow) -> dict[str, Any]:
    return {**flow_document(flow), "unknown_rules": []}


def _installed(difference: FlowDifference, flow: InstalledFlow) -> dict[str, Any]:
    return {
        "table": difference.table_name,
        "priority": flow.priority,
        "cookie": f"{flow.cookie:#018x}",
        "match": str(difference.after.match) if difference.after else flow.match_text,
        "actions": flow.actions,
        "policies": rule_documents(difference.was_of),
        "unknown_rules": [f"{number:#010x}" for number in difference.unknown],
        "extras": sorted(flow.extras),
    }


def _changed(difference: GroupDifference) -> dict[str, Any]:
    before, after = difference.before, difference.after
    return {"before": _there(before) if before else None, "after": _group(after) if after else None}


def _group(group: Group) -> dict[str, Any]:
    return {
        "id": group.id,
        "head": group.head,
        "service": group.service,
        "port": group.port,
        "buckets": {str(bucket.id): str(bucket) for bucket in group.buckets},
    }


def _there(group: InstalledGroup) -> dict[str, Any]:
    return {
        "id": group.id,
        "head": group.head,
        "service": None,
        "port": None,
        "buckets": {str(number): text for number, text in group.buckets.items()},
    }


def _given(each: EndpointConnections) -> dict[str, Any]:
    return {
        "protocol": each.protocol.value,
        "address": format_address(each.address),
        "port": each.port,
        "endpoint": {"address": format_address(each.backend.address), "port": each.backend.port},
    }
