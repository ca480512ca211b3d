"""The drop log: the bridge reports the packets that a policy or a guard drops, and a meter limits the reports.

Every report is an upcall: the packet goes to ovs-vswitchd, and from there to the controllers. The meter stands before
the upcall, so a flood of dropped packets costs ovs-vswitchd no more than ``RATE`` reports a second.
"""

from enum import IntEnum

METER = 2654
"""The number of the meter, the same number as the first conntrack zone; other programs count from 1."""

RATE = 100
"""The packets that are reported in a second."""

BURST = 200
"""The packets that are reported at once."""

MAX_LEN = 128
"""The bytes of a reported packet: enough for Ethernet, VLAN, IPv6 and the ports."""


class DropReason(IntEnum):
    """The reason of a drop: the one byte of ``userdata`` in a report. Numbers are never given to another reason."""

    EGRESS = 1
    INGRESS = 2
    TUNNEL_GUARD = 3


def meter_text() -> str:
    """The meter as ``ovs-ofctl add-meter`` takes it."""
    return f"meter={METER},pktps,burst,stats,band=type=drop,rate={RATE},burst_size={BURST}"
