"""What datapaths cannot do that Open vSwitch's own flow tables can."""

from ovsnp.pipeline.fields import TUN_METADATA, Field

ABSENCE_UNMATCHED: frozenset[Field] = frozenset(TUN_METADATA.values())
"""Fields that may be absent, of which the kernel's datapath cannot match that they are.

A megaflow that a packet without a tunnel option makes says nothing of options there, so packets with one take it:
``tun_metadata_to_geneve_nlattr_mask()`` in Open vSwitch's lib/tun-metadata.c writes a mask only for options that the
packet has.

Of every other field that may be absent a megaflow can say so. A VLAN tag (``flow_netlink.c`` in Linux: "Always match
on tci"), whether a packet is a fragment, and its Ethernet type and port are always matched; ``ct_mark`` and ``ct_label``
are 0 where there is no connection, and are matched as such. What a connection was opened to (``ct_nw_dst`` and the
like) is left out of the megaflow of a packet of no connection, but is only matched beside ``ct_state`` (`Field.needs`),
which tells these packets apart.
"""

CARRIED_VNI = 1
"""The VNI beside a Geneve option that carries a source; 0 without. The VNI is always matched."""
