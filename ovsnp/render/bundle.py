"""Lines of an ``ovs-ofctl bundle`` file."""

from collections.abc import Iterable

from ovsnp.flows.flow import Flow
from ovsnp.flows.group import Bucket, Group


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


def group_line(group: Group) -> str:
    """A group as a line."""
    return f"group add {','.join((group.head, *map(str, group.buckets)))}"


def insert_line(group: int, buckets: Iterable[Bucket]) -> str:
    """Buckets that an existing group gets, as a line."""
    return f"group insert_bucket group_id={group},command_bucket_id=last,{','.join(map(str, buckets))}"
