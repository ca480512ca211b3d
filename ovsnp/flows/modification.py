"""The modifications of a bridge's flows and groups, one by one: what a line of a bundle file says."""

from collections.abc import Iterator

import msgspec

from ovsnp.flows.changes import FlowChanges
from ovsnp.flows.flow import Flow
from ovsnp.flows.group import Bucket, Group


class AddFlow(msgspec.Struct, frozen=True):
    """Add a flow; it replaces the flow with the same slot, whose counters end."""

    flow: Flow


class ModifyFlow(msgspec.Struct, frozen=True):
    """Give the flow with this slot other actions; its cookie and counters stay."""

    flow: Flow


class DeleteFlow(msgspec.Struct, frozen=True):
    """Delete a flow, but no flow with another cookie that has taken its slot since."""

    flow: Flow


class AddGroup(msgspec.Struct, frozen=True):
    """Add a group."""

    group: Group


class ModifyGroup(msgspec.Struct, frozen=True):
    """Give a group other fields and buckets."""

    group: Group


class InsertBuckets(msgspec.Struct, frozen=True):
    """Insert buckets behind the buckets of an existing group."""

    group: int
    buckets: tuple[Bucket, ...]


class RemoveBucket(msgspec.Struct, frozen=True):
    """Remove a bucket from a group."""

    group: int
    bucket: int


class DeleteGroup(msgspec.Struct, frozen=True):
    """Delete a group, and all flows that send packets to it."""

    group: int


Modification = AddFlow | ModifyFlow | DeleteFlow | AddGroup | ModifyGroup | InsertBuckets | RemoveBucket | DeleteGroup


def modifications(changes: FlowChanges) -> Iterator[Modification]:
    """The changes in an order in which every flow finds its group.

    Flows that changed are added again, since no other OpenFlow message gives a flow a new cookie.
    """
    yield from map(DeleteFlow, changes.deleted)
    yield from map(AddGroup, changes.groups_added)
    yield from map(ModifyGroup, changes.groups_changed)
    yield from map(AddFlow, changes.changed)
    yield from map(AddFlow, changes.added)
    yield from (DeleteGroup(group.id) for group in changes.groups_deleted)
