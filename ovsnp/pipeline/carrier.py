"""The carrier: the part of the tunnel header that holds the source pod's address."""

from typing import NamedTuple

from ovsnp.model.address import Prefix
from ovsnp.model.options import Carrier
from ovsnp.pipeline.fields import TUN_METADATA

OFFSET_BITS = 24
"""VXLAN (RFC 7348) has no options: its 24-bit VNI holds the address's offset in the sending node's pod CIDR."""

NO_CARRIER, MARKED = 0, 1
"""The VNI of a packet without the carrier, and with Geneve the VNI of a packet with the option. Every datapath matches
the VNI, but the kernel datapath cannot match that an option is absent."""


class OptionMapping(NamedTuple):
    """A Geneve option (RFC 8926) that the bridge maps to a tunnel metadata field; ``length`` is in bytes."""

    option_class: int
    type: int
    length: int
    field: str

    def __str__(self) -> str:
        return f"{{class={self.option_class:#x},type={self.type:#x},len={self.length}}}->{self.field}"


def option_map(carrier: Carrier) -> tuple[OptionMapping, ...]:
    """The options that hold a pod's IPv4 and IPv6 address."""
    return (
        OptionMapping(carrier.option_class, carrier.ipv4_type, 4, TUN_METADATA[4].name),
        OptionMapping(carrier.option_class, carrier.ipv6_type, 16, TUN_METADATA[6].name),
    )


def offset_bits(cidr: Prefix) -> int:
    """The number of bits on the wire of an offset in a pod CIDR."""
    return min(cidr.width - cidr.length, OFFSET_BITS)
