"""What the flows need of the datapath below the bridge, and what no datapath may be asked.

Open vSwitch runs on the datapath of the Linux kernel and on its own in userspace, and these differ. Features have the
names that ``ovs-appctl dpif/show-dp-features`` prints (ovs-vswitchd(8)).
"""

from enum import StrEnum

import msgspec

from ovsnp.pipeline import fields as f
from ovsnp.pipeline.carrier import MARKED
from ovsnp.pipeline.fields import Field


class Feature(StrEnum):
    """What some datapath lacks."""

    CT_STATE = "CT state"
    CT_ZONE = "CT zone"
    CT_MARK = "CT mark"
    CT_LABEL = "CT label"
    CT_STATE_NAT = "CT state NAT"
    CT_ORIG_TUPLE = "CT orig tuple"
    CT_ORIG_TUPLE6 = "CT orig tuple for IPv6"
    ND_EXTENSION = "IPv6 ND Extension"


OLDEST = frozenset(Feature) - {Feature.ND_EXTENSION}
"""The features of the oldest datapath that the flows are for: that of Linux 5.10. 6.1 and 6.12 have no other."""

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
"""What a match on a field needs; other fields are matched everywhere."""

SETTING = {
    "ct_mark": Feature.CT_MARK,
    "ct_label": Feature.CT_LABEL,
    "nd_options_type": Feature.ND_EXTENSION,
    "nd_reserved": Feature.ND_EXTENSION,
}
"""What ``set_field`` of a field needs. ``move`` and ``pop`` write the last two everywhere, in the slow path."""

TRACKING = (Feature.CT_STATE, Feature.CT_ZONE, Feature.CT_STATE_NAT)
"""What ``ct()`` needs, with a zone and with address translation."""


class Witness(msgspec.Struct, frozen=True, eq=False):
    """A field that says, where it has ``value``, that another field is there."""

    field: Field
    value: int


WITNESS = {option: Witness(f.TUN_ID, MARKED) for option in f.TUN_METADATA.values()}
"""Fields whose absence the kernel datapath cannot match, with the field that says in their place that they are there.

A packet without such a field makes a megaflow that says nothing of the field, and packets that have it take this
megaflow. So a flow that matches the field matches its witness, too, and no flow that takes packets without the field
takes packets with the witness: what misses is dropped.
"""

ABSENCES = {
    "tunnel option": "nothing, on the kernel datapath; so the VNI (`tun_id`) says whether an option is there",
    "VLAN tag": "the Ethernet type of IP or ARP, which stands in every megaflow",
    "`ct_label`, `ct_mark` of an untracked or invalid packet": "0, as a value; flows match a bit that is 1",
    "`ct_nw_dst`, `ct_ipv6_dst`, `ct_tp_dst` of an untracked packet": "the bits of `ct_state`; flows match `-inv+trk`",
    "ports of a later fragment": "that it is a later fragment, which stands in every megaflow",
    "`nd_sll` of a solicitation without that option": "0, as a value; no pod has that MAC address",
}
"""What a packet may lack of all that flows match, and what a megaflow says of the packet then."""
