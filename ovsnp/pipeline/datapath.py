"""The datapath features that the flows need, and the absences of fields that no flow may match.

Open vSwitch runs on the datapath of the Linux kernel and on the userspace datapath, which differ. Features have the
names that ``ovs-appctl dpif/show-dp-features`` prints (ovs-vswitchd(8)).
"""

from enum import StrEnum

import msgspec

from ovsnp.pipeline import fields as f
from ovsnp.pipeline.carrier import MARKED
from ovsnp.pipeline.fields import Field


class Feature(StrEnum):
    """A feature that some datapath lacks."""

    CT_STATE = "CT state"
    CT_ZONE = "CT zone"
    CT_MARK = "CT mark"
    CT_LABEL = "CT label"
    CT_STATE_NAT = "CT state NAT"
    CT_ORIG_TUPLE = "CT orig tuple"
    CT_ORIG_TUPLE6 = "CT orig tuple for IPv6"
    ND_EXTENSION = "IPv6 ND Extension"


OLDEST = frozenset(Feature) - {Feature.ND_EXTENSION}
"""The features of the oldest supported datapath, Linux 5.10. Linux 6.1 and 6.12 have the same features."""

MATCHING = {
    "ct_state": Feature.CT_STATE,
    "ct_mark": Feature.CT_MARK,
    "ct_label": Feature.CT_LABEL,
    "ct_nw_proto": Feature.CT_ORIG_TUPLE,
    "ct_tp_dst": Feature.CT_ORIG_TUPLE,
    "ct_nw_dst": Feature.CT_ORIG_TUPLE,
    "ct_ipv6_dst": Feature.CT_ORIG_TUPLE6,
    "nd_options_type": Feature.ND_EXTENSION,
    "nd_reserved": Feature.ND_EXTENSION,
}
"""The feature that a match on a field needs; every datapath matches the other fields."""

SETTING = {
    "ct_mark": Feature.CT_MARK,
    "ct_label": Feature.CT_LABEL,
    "nd_options_type": Feature.ND_EXTENSION,
    "nd_reserved": Feature.ND_EXTENSION,
}
"""The feature that ``set_field`` needs. Every datapath writes the last two by ``move`` or ``pop``, in the slow path."""

TRACKING = (Feature.CT_STATE, Feature.CT_ZONE, Feature.CT_STATE_NAT)
"""The features that ``ct()`` needs, with a zone and with address translation."""


class Witness(msgspec.Struct, frozen=True, eq=False):
    """A field whose ``value`` says that another field is present."""

    field: Field
    value: int


WITNESS = {option: Witness(f.TUN_ID, MARKED) for option in f.TUN_METADATA.values()}
"""Fields whose absence the kernel datapath cannot match, each with a witness that says that the field is present.

A packet without such a field makes a megaflow that does not mention the field, so packets with the field take this
megaflow too. Therefore a flow that matches the field also matches the witness, and no flow for packets without the
field takes packets with the witness: those that match no flow are dropped.
"""

ABSENCES = {
    "tunnel option": "nothing, on the kernel datapath; so the VNI (`tun_id`) says whether an option is there",
    "VLAN tag": "the Ethernet type of IP or ARP, which is in every megaflow",
    "`ct_label`, `ct_mark` of an untracked or invalid packet": "0, as a value; flows match a bit that is 1",
    "`ct_nw_dst`, `ct_ipv6_dst`, `ct_tp_dst` of an untracked packet": "the bits of `ct_state`; flows match `-inv+trk`",
    "ports of a later fragment": "the bit that says that it is a later fragment, which is in every megaflow",
    "`nd_sll` of a solicitation without that option": "0, as a value; no pod has that MAC address",
}
"""The fields that flows match and a packet may lack, and the content of the megaflow in this case."""
