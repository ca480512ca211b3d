"""Lines of an ``ovs-ofctl bundle`` file."""

from ovsnp.flows import modification as m
from ovsnp.flows.changes import FlowChanges
from ovsnp.flows.flow import Flow
from ovsnp.flows.group import Group
from ovsnp.pipeline.cookies import USED


def render_changes(changes: FlowChanges) -> str:
    """A file for ``ovs-ofctl -O OpenFlow15 bundle BRIDGE FILE`` that changes a bridge from one program to the next."""
    return "".join(f"{modification_line(each)}\n" for each in m.modifications(changes))


def modification_line(modification: m.Modification) -> str:
    """One modification as a line."""
    match modification:
        case m.AddFlow(flow=flow):
            return bundle_line(flow)
        case m.ModifyFlow(flow=flow):
            return _flow_line(flow, "modify_strict")
        case m.DeleteFlow(flow=flow):
            return delete_line(flow)
        case m.AddGroup(group=group):
            return group_line(group)
        case m.ModifyGroup(group=group):
            return _group_line(group, "modify")
        case m.InsertBuckets(group=number, buckets=buckets):
            return f"group insert_bucket group_id={number},command_bucket_id=last,{','.join(map(str, buckets))}"
        case m.RemoveBucket(group=number, bucket=bucket):
            return f"group remove_bucket group_id={number},command_bucket_id={bucket}"
        case m.DeleteGroup(group=number):
            return f"group delete group_id={number}"


def bundle_line(flow: Flow) -> str:
    """The line that adds a flow."""
    return _flow_line(flow, "add")


def delete_line(flow: Flow) -> str:
    """The line that deletes a flow, if it is ovsnp's own."""
    match = f",{flow.match}" if str(flow.match) else ""
    cookie = f"{flow.cookie:#x}/{USED:#x}"
    return f"flow delete_strict cookie={cookie},table={flow.table_id},priority={flow.priority}{match}"


def group_line(group: Group) -> str:
    """The line that adds a group."""
    return _group_line(group, "add")


def _flow_line(flow: Flow, command: str) -> str:
    match = f",{flow.match}" if str(flow.match) else ""
    return (
        f"flow {command} cookie={flow.cookie:#018x},table={flow.table_id},priority={flow.priority}{match}"
        f" actions={flow.actions_text}"
    )


def _group_line(group: Group, command: str) -> str:
    return f"group {command} {','.join((group.head, *map(str, group.buckets)))}"
