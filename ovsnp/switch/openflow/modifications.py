"""Modifications of flows and groups as messages, also of flows that were read from the bridge."""

import msgspec

from ovsnp.flows import modification as m
from ovsnp.pipeline.cookies import USED
from ovsnp.render import modification_line
from ovsnp.switch.openflow.flow_mod import add_flow, delete_flow, delete_slot, modify_flow
from ovsnp.switch.openflow.group_mod import add_group, delete_group, insert_buckets, modify_group, remove_bucket
from ovsnp.switch.openflow.message import Message
from ovsnp.switch.openflow.tables import FlowEntry


class DeleteEntry(msgspec.Struct, frozen=True):
    """Delete a flow that `read_flows` found, but no flow with another cookie that has taken its slot since."""

    entry: FlowEntry


BridgeChange = m.Modification | DeleteEntry


def change_text(change: BridgeChange) -> str:
    """The change as a line for ``ovs-ofctl bundle``; the match of an entry is in hexadecimal."""
    if isinstance(change, DeleteEntry):
        entry = change.entry
        places = f"cookie={entry.cookie:#x}/{USED:#x},table={entry.table},priority={entry.priority}"
        return f"flow delete_strict {places} (match {entry.match.hex()})"
    return modification_line(change)


def is_of_group(change: BridgeChange) -> bool:
    """True if the change is of a group, false if it is of a flow."""
    return isinstance(change, m.AddGroup | m.ModifyGroup | m.InsertBuckets | m.RemoveBucket | m.DeleteGroup)


def encode_change(change: BridgeChange) -> Message:
    """The message that ``ovs-ofctl bundle`` makes of the change's line."""
    match change:
        case DeleteEntry(entry=entry):
            return delete_slot(entry.table, entry.priority, entry.cookie, entry.match)
        case m.AddFlow(flow=flow):
            return add_flow(flow)
        case m.ModifyFlow(flow=flow):
            return modify_flow(flow)
        case m.DeleteFlow(flow=flow):
            return delete_flow(flow)
        case m.AddGroup(group=group):
            return add_group(group)
        case m.ModifyGroup(group=group):
            return modify_group(group)
        case m.InsertBuckets(group=number, buckets=buckets):
            return insert_buckets(number, buckets)
        case m.RemoveBucket(group=number, bucket=bucket):
            return remove_bucket(number, bucket)
        case m.DeleteGroup(group=number):
            return delete_group(number)
