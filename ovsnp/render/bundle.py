"""Lines of an ``ovs-ofctl bundle`` file."""

from collections.abc import Iterable

from ovsnp.flows.changes import FlowChanges
from ovsnp.flows.flow import Flow
from ovsnp.flows.group import Bucket, Group


def render_changes(changes: FlowChanges) -> str:
    """A file for ``ovs-ofctl -O OpenFlow15 bundle BRIDGE FILE`` that changes a bridge from one program to the next.

    Flows that changed are added again, since no other OpenFlow message gives a flow a new cookie.
    """
    return "".join(
        f"{line}\n"
        for line in (
            *map(delete_line, changes.deleted),
            *map(group_line, changes.groups_added),
            *(group_line(group, "modify") for group in changes.groups_changed),
            *map(bundle_line, (*changes.changed, *changes.added)),
            *(f"group delete group_id={group.id}" for group in changes.groups_deleted),
        )
    )


def bundle_line(flow: Flow) -> str:
    """One flow as a line."""
    match = f",{flow.match}" if str(flow.match) else ""
    return (
        f"flow add cookie={flow.cookie:#018x},table={flow.table_id},priority={flow.priority}{match}"
        f" actions={flow.actions_text}"
    )


def delete_line(flow: Flow) -> str:
    """The line that deletes a flow, if it is ovsnp's own."""
    match = f",{flow.match}" if str(flow.match) else ""
    return f"flow delete_strict cookie={flow.cookie:#x}/-1,table={flow.table_id},priority={flow.priority}{match}"


def group_line(group: Group, command: str = "add") -> str:
    """A group as a line; ``command`` is ``add`` or ``modify``."""
    return f"group {command} {','.join((group.head, *map(str, group.buckets)))}"


def insert_line(group: int, buckets: Iterable[Bucket]) -> str:
    """The line that inserts buckets into an existing group."""
    return f"group insert_bucket group_id={group},command_bucket_id=last,{','.join(map(str, buckets))}"
