"""Lines of an ``ovs-ofctl bundle`` file."""

from collections.abc import Iterator, Sequence

from ovsnp.flows.flow import Flow
from ovsnp.flows.group import Bucket, Group

_BUCKETS = 250
"""Buckets in one message: an OpenFlow message has at most 64 KiB, and a bucket here up to 200 bytes."""


def bundle_line(flow: Flow) -> str:
    """One flow as a line."""
    match = f",{flow.match}" if str(flow.match) else ""
    return (
        f"flow add cookie={flow.cookie:#018x},table={flow.table_id},priority={flow.priority}{match}"
        f" actions={flow.actions_text}"
    )


def group_lines(group: Group) -> Iterator[str]:
    """A group as lines: one, unless its buckets do not fit into one message."""
    yield f"group add {','.join((group.head, *map(str, group.buckets[:_BUCKETS])))}"
    yield from insert_lines(group.id, group.buckets[_BUCKETS:])


def insert_lines(group: int, buckets: Sequence[Bucket]) -> Iterator[str]:
    """Buckets that an existing group gets."""
    for start in range(0, len(buckets), _BUCKETS):
        some = ",".join(map(str, buckets[start : start + _BUCKETS]))
        yield f"group insert_bucket group_id={group},command_bucket_id=last,{some}"
