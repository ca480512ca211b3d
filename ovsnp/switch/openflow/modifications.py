"""Modifications of flows and groups as messages."""

from ovsnp.flows import modification as m
from ovsnp.switch.openflow.flow_mod import add_flow, delete_flow, modify_flow
from ovsnp.switch.openflow.group_mod import add_group, delete_group, insert_buckets, modify_group, remove_bucket
from ovsnp.switch.openflow.message import Message


def encode_modification(modification: m.Modification) -> Message:
    """The message that ``ovs-ofctl bundle`` makes of the modification's line."""
    match modification:
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
