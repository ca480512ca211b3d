"""``struct ofp15_group_mod``: a modification of one group or of its buckets."""

import struct
from collections.abc import Iterable

from ovsnp.flows.group import Bucket, Group
from ovsnp.switch.openflow.actions import encode_actions
from ovsnp.switch.openflow.match import encode_field
from ovsnp.switch.openflow.message import Message, MessageType, padded

_OFPGC_ADD = 0
_OFPGC_MODIFY = 1
_OFPGC_DELETE = 2
_OFPGC_INSERT_BUCKET = 3
_OFPGC_REMOVE_BUCKET = 5
_OFPGT_SELECT = 1
_OFPG_BUCKET_LAST = 0xFFFFFFFE
_OFPG_BUCKET_ALL = 0xFFFFFFFF
_OFPGBPT_WEIGHT = 0
_OFPGPT_EXPERIMENTER = 0xFFFF
_NTR_VENDOR_ID = 0x0000154D
_NTRT_SELECTION_METHOD = 1

_HEAD = struct.Struct("!HBxIH2xI")
_BUCKET = struct.Struct("!HHI")
_WEIGHT = struct.Struct("!HHH2x")
_METHOD = struct.Struct("!HHII4x16sQ")


def add_group(group: Group) -> Message:
    """Add the group."""
    return _whole(_OFPGC_ADD, group)


def modify_group(group: Group) -> Message:
    """Replace the fields and buckets of the group with the same number."""
    return _whole(_OFPGC_MODIFY, group)


def delete_group(number: int) -> Message:
    """Delete the group."""
    return _group_mod(_OFPGC_DELETE, 0, number, b"", _OFPG_BUCKET_ALL)


def insert_buckets(number: int, buckets: Iterable[Bucket]) -> Message:
    """Insert buckets behind the buckets of the group."""
    return _group_mod(_OFPGC_INSERT_BUCKET, 0, number, _buckets(buckets), _OFPG_BUCKET_LAST)


def remove_bucket(number: int, bucket: int) -> Message:
    """Remove a bucket from the group."""
    return _group_mod(_OFPGC_REMOVE_BUCKET, 0, number, b"", bucket)


def _whole(command: int, group: Group) -> Message:
    buckets, method = _buckets(group.buckets), _selection_method(group)
    return _group_mod(command, _OFPGT_SELECT, group.id, buckets, _OFPG_BUCKET_ALL, method)


def _group_mod(
    command: int, kind: int, number: int, buckets: bytes, command_bucket: int, properties: bytes = b""
) -> Message:
    head = _HEAD.pack(command, kind, number, len(buckets), command_bucket)
    return Message(MessageType.GROUP_MOD, head + buckets + properties)


def _buckets(buckets: Iterable[Bucket]) -> bytes:
    """``struct ofp15_bucket``, each with its actions and its weight."""
    encoded = []
    for bucket in buckets:
        actions = encode_actions(bucket.actions)
        length = _BUCKET.size + len(actions) + _WEIGHT.size
        encoded += [_BUCKET.pack(length, len(actions), bucket.id), actions]
        encoded.append(_WEIGHT.pack(_OFPGBPT_WEIGHT, _WEIGHT.size, bucket.weight))
    return b"".join(encoded)


def _selection_method(group: Group) -> bytes:
    """``struct ntr_group_prop_selection_method``; its length does not count the padding at the end."""
    fields = b"".join(encode_field(field.oxm, mask) for field, mask in group.fields)
    name = b"hash" if group.fields else b"dp_hash"
    length = _METHOD.size + len(fields)
    head = _METHOD.pack(_OFPGPT_EXPERIMENTER, length, _NTR_VENDOR_ID, _NTRT_SELECTION_METHOD, name, 0)
    return padded(head + fields)
