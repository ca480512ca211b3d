"""Actions and instructions on the wire (lib/ofp-actions.c)."""

import struct
from collections.abc import Iterable, Sequence
from functools import lru_cache

from ovsnp.flows import action as a
from ovsnp.pipeline.fields import Field
from ovsnp.pipeline.tables import BY_NAME
from ovsnp.switch.openflow.match import encode_field
from ovsnp.switch.openflow.message import padded
from ovsnp.switch.openflow.nicira_actions import (
    conjunction,
    conntrack,
    controller,
    learn,
    nat,
    output_register,
    pop,
    push,
    resubmit_table,
)

_OFPAT_OUTPUT = 0
_OFPAT_GROUP = 22
_OFPAT_DEC_NW_TTL = 24
_OFPAT_SET_FIELD = 25
_OFPAT_COPY_FIELD = 28
_OFPIT_GOTO_TABLE = 1
_OFPIT_APPLY_ACTIONS = 4
_OFPP_IN_PORT = 0xFFFFFFF8

_HEAD = struct.Struct("!HH")
_OUTPUT = struct.Struct("!HHIH6x")
_WORD = struct.Struct("!HHI")
_COPY_FIELD = struct.Struct("!HHHHH2x")
_INSTRUCTION = struct.Struct("!HH4x")
_GOTO_TABLE = struct.Struct("!HHB3x")


def encode_instructions(actions: Sequence[a.Action]) -> bytes:
    """Instructions: to apply the actions, and then to go on in another table (``struct ofp11_instruction_*``)."""
    last = actions[-1] if actions else None
    if isinstance(last, a.Goto):
        onwards = _GOTO_TABLE.pack(_OFPIT_GOTO_TABLE, _GOTO_TABLE.size, BY_NAME[last.table].id)
        actions = actions[:-1]
    else:
        onwards = b""
    if not actions:
        return onwards
    applied = encode_actions(actions)
    return _INSTRUCTION.pack(_OFPIT_APPLY_ACTIONS, _INSTRUCTION.size + len(applied)) + applied + onwards


def encode_actions(actions: Iterable[a.Action]) -> bytes:
    """Actions one after the other; none of them may be `Goto`, which is an instruction."""
    return b"".join(map(_encode, actions))


@lru_cache(maxsize=10_000)
def _encode(action: a.Action) -> bytes:
    """One action, cached: most flows share a few actions."""
    match action:
        case a.SetField(field=field, value=value):
            return _set_field(field, value)
        case a.Move(source=source, target=target):
            return _copy_field(source, target)
        case a.Push(field=field):
            return push(field)
        case a.Pop(field=field):
            return pop(field)
        case a.DecTtl():
            return _WORD.pack(_OFPAT_DEC_NW_TTL, _WORD.size, 0)
        case a.Track(zone=zone, table=table):
            return conntrack(zone, BY_NAME[table].id, nat())
        case a.Commit(zone=zone, memory=memory):
            return conntrack(zone, None, encode_actions(memory), commit=True)
        case a.Translate(zone=zone, table=table, memory=memory):
            nested = nat(action.side, action.address, action.ports) + encode_actions(memory)
            return conntrack(zone, BY_NAME[table].id, nested, commit=True)
        case a.Learn():
            return learn(action)
        case a.ToGroup(group=group):
            return _WORD.pack(_OFPAT_GROUP, _WORD.size, group)
        case a.Lookup(table=table):
            return resubmit_table(BY_NAME[table].id)
        case a.Conjunction():
            return conjunction(action)
        case a.Output(field=field):
            return output_register(field)
        case a.ToInPort():
            return _OUTPUT.pack(_OFPAT_OUTPUT, _OUTPUT.size, _OFPP_IN_PORT, 0)
        case a.ToController():
            return controller(action)
        case a.Goto():
            raise ValueError("goto_table is an instruction, not an action")


def _set_field(field: Field, value: int) -> bytes:
    """``struct ofp12_action_set_field``, with a mask for a part of a field."""
    data = encode_field(field.oxm, value << field.lsb, field.full_mask << field.lsb, field.octets)
    return _with_head(_OFPAT_SET_FIELD, data)


def _copy_field(source: Field, target: Field) -> bytes:
    """``struct ofp15_action_copy_field``.

    A tunnel option has its mapped length in the header, as ovs-vswitchd stores it; ``ovs-ofctl`` does not know the map,
    and writes the longest length.
    """
    names = source.oxm.header(source.octets) + target.oxm.header(target.octets)
    length = _COPY_FIELD.size + len(names)
    return padded(
        _COPY_FIELD.pack(_OFPAT_COPY_FIELD, -length % 8 + length, target.bits, source.lsb, target.lsb) + names
    )


def _with_head(kind: int, data: bytes) -> bytes:
    whole = padded(bytes(_HEAD.size) + data)
    return _HEAD.pack(kind, len(whole)) + whole[_HEAD.size :]
