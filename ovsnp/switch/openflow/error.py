"""Errors that Open vSwitch reports: ``struct ofp_error_msg``, with the names that ``ovs-ofctl`` prints."""

import struct

from ovsnp.switch.openflow.message import DecodeError
from ovsnp.switch.openflow.nicira import NX_VENDOR_ID

_CODES = {
    0: ("OFPHFC", "INCOMPATIBLE EPERM"),
    1: (
        "OFPBRC",
        "BAD_VERSION BAD_TYPE BAD_STAT BAD_VENDOR BAD_SUBTYPE EPERM BAD_LEN BUFFER_EMPTY BUFFER_UNKNOWN BAD_TABLE_ID"
        " IS_SECONDARY BAD_PORT BAD_PACKET MULTIPART_BUFFER_OVERFLOW MULTIPART_REQUEST_TIMEOUT MULTIPART_REPLY_TIMEOUT"
        " MULTIPART_BAD_SCHED PIPELINE_FIELDS_ONLY UNKNOWN",
    ),
    2: (
        "OFPBAC",
        "BAD_TYPE BAD_LEN BAD_VENDOR BAD_VENDOR_TYPE BAD_OUT_PORT BAD_ARGUMENT EPERM TOO_MANY BAD_QUEUE BAD_OUT_GROUP"
        " MATCH_INCONSISTENT UNSUPPORTED_ORDER BAD_TAG BAD_SET_TYPE BAD_SET_LEN BAD_SET_ARGUMENT"
        " BAD_SET_MASK BAD_METER",
    ),
    3: (
        "OFPBIC",
        "UNKNOWN_INST UNSUP_INST BAD_TABLE_ID UNSUP_METADATA UNSUP_METADATA_MASK BAD_EXPERIMENTER BAD_EXP_TYPE BAD_LEN"
        " EPERM DUP_INST",
    ),
    4: (
        "OFPBMC",
        "BAD_TYPE BAD_LEN BAD_TAG BAD_DL_ADDR_MASK BAD_NW_ADDR_MASK BAD_WILDCARDS BAD_FIELD BAD_VALUE BAD_MASK"
        " BAD_PREREQ DUP_FIELD EPERM",
    ),
    5: (
        "OFPFMFC",
        "UNKNOWN TABLE_FULL BAD_TABLE_ID OVERLAP EPERM BAD_TIMEOUT BAD_COMMAND BAD_FLAGS CANT_SYNC BAD_PRIORITY"
        " IS_SYNC",
    ),
    6: (
        "OFPGMFC",
        "GROUP_EXISTS INVALID_GROUP WEIGHT_UNSUPPORTED OUT_OF_GROUPS OUT_OF_BUCKETS CHAINING_UNSUPPORTED"
        " WATCH_UNSUPPORTED LOOP UNKNOWN_GROUP CHAINED_GROUP BAD_TYPE BAD_COMMAND BAD_BUCKET BAD_WATCH EPERM"
        " UNKNOWN_BUCKET BUCKET_EXISTS",
    ),
    10: ("OFPSCFC", "BAD_FLAGS BAD_LEN EPERM"),
    12: (
        "OFPMMFC",
        "UNKNOWN METER_EXISTS INVALID_METER UNKNOWN_METER BAD_COMMAND BAD_FLAGS BAD_RATE BAD_BURST BAD_BAND"
        " BAD_BAND_VALUE OUT_OF_METERS OUT_OF_BANDS",
    ),
    14: ("OFPBPC", "BAD_TYPE BAD_LEN BAD_VALUE TOO_MANY DUP_TYPE BAD_EXPERIMENTER BAD_EXP_TYPE BAD_EXP_VALUE EPERM"),
    17: (
        "OFPBFC",
        "UNKNOWN EPERM BAD_ID BUNDLE_EXIST BUNDLE_CLOSED OUT_OF_BUNDLES BAD_TYPE BAD_FLAGS MSG_BAD_LEN MSG_BAD_XID"
        " MSG_UNSUP MSG_CONFLICT MSG_TOO_MANY MSG_FAILED TIMEOUT BUNDLE_IN_PROGRESS SCHED_NOT_SUPPORTED SCHED_FUTURE"
        " SCHED_PAST",
    ),
}
"""For each type of errors the prefix of the names, and the names by code (include/openvswitch/ofp-errors.h)."""

_NICIRA = {
    2: "NXBRC_NXM_INVALID",
    3: "NXBRC_NXM_BAD_TYPE",
    4: "NXBRC_MUST_BE_ZERO",
    10: "NXBRC_UNENCODABLE_ERROR",
    11: "NXBAC_MUST_BE_ZERO",
    12: "NXFMFC_HARDWARE",
    13: "NXFMFC_BAD_TABLE_ID",
    15: "NXBAC_BAD_CONJUNCTION",
    16: "NXTTMFC_BAD_COMMAND",
    17: "NXTTMFC_BAD_OPT_LEN",
    18: "NXTTMFC_BAD_FIELD_IDX",
    19: "NXTTMFC_TABLE_FULL",
    20: "NXTTMFC_ALREADY_MAPPED",
    21: "NXTTMFC_DUP_ENTRY",
    22: "OFPBFC_BAD_VERSION",
    34: "NXR_NOT_SUPPORTED",
    37: "NXFMFC_INVALID_TLV_FIELD",
    38: "NXTTMFC_INVALID_TLV_DEL",
    42: "NXBAC_CT_DATAPATH_SUPPORT",
    43: "NXBMC_CT_DATAPATH_SUPPORT",
}
_EXPERIMENTER = 0xFFFF

_HEAD = struct.Struct("!HH")
_VENDOR = struct.Struct("!I")


def error_name(body: bytes) -> str:
    """The name of the error that the body of an OFPT_ERROR message reports, or numbers if the error has no name here.

    Raises DecodeError if the body is too short.
    """
    try:
        kind, code = _HEAD.unpack_from(body)
        vendor = _VENDOR.unpack_from(body, _HEAD.size)[0] if kind == _EXPERIMENTER else None
    except struct.error:
        raise DecodeError("a report of an error that is too short") from None
    if vendor == NX_VENDOR_ID and code in _NICIRA:
        return _NICIRA[code]
    prefix, text = _CODES.get(kind, ("", ""))
    names = text.split()
    return f"{prefix}_{names[code]}" if code < len(names) else f"error of type {kind}, code {code}"
