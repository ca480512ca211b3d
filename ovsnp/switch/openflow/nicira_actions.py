"""Open vSwitch's own actions on the wire: ``struct nx_action_*`` (lib/ofp-actions.c)."""

import struct
from collections.abc import Iterator

from ovsnp.flows.action import Conjunction, Learn, ToController
from ovsnp.model.address import Address, family
from ovsnp.pipeline import fields as f
from ovsnp.pipeline.cookies import cookie
from ovsnp.pipeline.fields import Field
from ovsnp.pipeline.tables import BY_NAME
from ovsnp.switch.openflow.message import encode_property, padded
from ovsnp.switch.openflow.nicira import NX_VENDOR_ID

_OFPAT_EXPERIMENTER = 0xFFFF

_NXAST_RESUBMIT_TABLE = 14
_NXAST_STACK_PUSH = 27
_NXAST_STACK_POP = 28
_NXAST_OUTPUT_REG = 15
_NXAST_CONJUNCTION = 34
_NXAST_CT = 35
_NXAST_NAT = 36
_NXAST_CONTROLLER2 = 37
_NXAST_LEARN2 = 45

_NX_CT_F_COMMIT = 1
_NX_CT_RECIRC_NONE = 0xFF
_NX_NAT_F = {"src": 1 << 0, "dst": 1 << 1}
_NX_NAT_RANGE = {4: 1 << 0, 6: 1 << 2}
_NX_NAT_RANGE_PROTO_MIN = 1 << 4
_NX_NAT_RANGE_PROTO_MAX = 1 << 5
_NX_LEARN_SRC_IMMEDIATE = 1 << 13
_NX_LEARN_DST_LOAD = 1 << 11
_NXAC2PT_MAX_LEN = 0
_NXAC2PT_USERDATA = 3
_NXAC2PT_METER_ID = 5
_OFPP_IN_PORT = 0xFFF8

_HEAD = struct.Struct("!HHIH")
_HEAD_PADDING = 6
_RESUBMIT = struct.Struct("!HB3x")
_STACK = struct.Struct("!H4sH6x")
_OUTPUT_REG = struct.Struct("!H4sH6x")
_CONJUNCTION = struct.Struct("!BBI")
_CT = struct.Struct("!HIHB3xH")
_NAT = struct.Struct("!2xHH")
_PORT = struct.Struct("!H")
_MAX_LEN = struct.Struct("!H2x")
_METER_ID = struct.Struct("!I")
_LEARN2 = struct.Struct("!HHHQHBxHHIH2x")
_SPECIFICATION = struct.Struct("!H")
_SUBFIELD = struct.Struct("!4sH")


def _action(subtype: int, data: bytes) -> bytes:
    """``struct ext_action_header`` of Nicira, and the data, padded."""
    length = _HEAD.size + len(data)
    return padded(_HEAD.pack(_OFPAT_EXPERIMENTER, length + -length % 8, NX_VENDOR_ID, subtype) + data)


def resubmit_table(table: int) -> bytes:
    """``struct nx_action_resubmit``, from the port by which the packet came in."""
    return _action(_NXAST_RESUBMIT_TABLE, _RESUBMIT.pack(_OFPP_IN_PORT, table))


def push(field: Field) -> bytes:
    """``struct nx_action_stack``."""
    return _action(_NXAST_STACK_PUSH, _STACK.pack(field.lsb, field.nxm.exact, field.bits))


def pop(field: Field) -> bytes:
    """``struct nx_action_stack``."""
    return _action(_NXAST_STACK_POP, _STACK.pack(field.lsb, field.nxm.exact, field.bits))


def output_register(field: Field) -> bytes:
    """``struct nx_action_output_reg``: the packet leaves by the port that the register holds."""
    return _action(_NXAST_OUTPUT_REG, _OUTPUT_REG.pack(_range(field), field.nxm.exact, 0xFFFF))


def _range(field: Field) -> int:
    """Position and number of bits in one number (``nxm_encode_ofs_nbits()``)."""
    return field.lsb << 6 | field.bits - 1


def conjunction(action: Conjunction) -> bytes:
    """``struct nx_action_conjunction``; clauses count from 0 on the wire."""
    return _action(_NXAST_CONJUNCTION, _CONJUNCTION.pack(action.clause - 1, action.clauses, action.id))


def conntrack(zone: int, table: int | None, nested: bytes, *, commit: bool = False) -> bytes:
    """``struct nx_action_conntrack`` with nested actions; with a table, the packet goes on there."""
    flags, onwards = _NX_CT_F_COMMIT if commit else 0, _NX_CT_RECIRC_NONE if table is None else table
    return _action(_NXAST_CT, _CT.pack(flags, 0, zone, onwards, 0) + nested)


def nat(side: str = "", address: Address | None = None, ports: tuple[int, int] = (0, 0)) -> bytes:
    """``struct nx_action_nat``; without a side, the packet is translated as its connection is."""
    if address is None:
        return _action(_NXAST_NAT, _NAT.pack(0, 0))
    first, last = ports
    present, ending = _NX_NAT_RANGE[family(address)] | _NX_NAT_RANGE_PROTO_MIN, _PORT.pack(first)
    if last != first:
        present, ending = present | _NX_NAT_RANGE_PROTO_MAX, ending + _PORT.pack(last)
    return _action(_NXAST_NAT, _NAT.pack(_NX_NAT_F[side], present) + address + ending)


def controller(action: ToController) -> bytes:
    """NXAST_CONTROLLER2: ``struct ext_action_header``, and properties of ``enum nx_action_controller2_prop_type``."""
    return _action(
        _NXAST_CONTROLLER2,
        bytes(_HEAD_PADDING)
        + encode_property(_NXAC2PT_MAX_LEN, _MAX_LEN.pack(action.max_len))
        + encode_property(_NXAC2PT_USERDATA, action.userdata)
        + encode_property(_NXAC2PT_METER_ID, _METER_ID.pack(action.meter)),
    )


def learn(action: Learn) -> bytes:
    """``struct nx_action_learn2``."""
    table = BY_NAME[action.table].id
    head = _LEARN2.pack(action.idle_timeout, 0, action.priority, cookie(table, 0), 0, table, 0, 0, action.limit, 0)
    return _action(_NXAST_LEARN2, head + b"".join(_specifications(action)))


def _specifications(action: Learn) -> Iterator[bytes]:
    """The ``flow_mod_spec`` elements of a learned flow, in the order of the action's text."""
    version = family(action.address)
    yield _immediate(f.DL_TYPE, f.ETH_TYPE[version])
    yield _immediate(f.NW_PROTO, f.IP_PROTO[action.protocol])
    source = _SUBFIELD.pack(f.IP_SRC[version].nxm.exact, 0)
    yield _SPECIFICATION.pack(f.IP_SRC[version].bits) + source + source
    yield _immediate(f.IP_DST[version], int.from_bytes(action.address, "big"))
    yield _immediate(f.TRANSPORT_DST[action.protocol], action.port)
    yield _immediate(action.then.field, action.then.value, _NX_LEARN_DST_LOAD)


def _immediate(field: Field, value: int, destination: int = 0) -> bytes:
    """A value that the learned flow matches, or loads into the field."""
    kind = _SPECIFICATION.pack(field.bits | _NX_LEARN_SRC_IMMEDIATE | destination)
    return kind + value.to_bytes(-(-field.bits // 16) * 2, "big") + _SUBFIELD.pack(field.nxm.exact, field.lsb)
