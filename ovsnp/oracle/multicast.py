"""Multicast and broadcast addresses."""

from ovsnp.model.address import Address, Prefix, host_prefix, parse_address, parse_prefix
from ovsnp.model.cluster import Cluster
from ovsnp.oracle.endpoints import Endpoint, OutsideEnd

_MULTICAST = (parse_prefix("224.0.0.0/4"), parse_prefix("ff00::/8"))
_BROADCAST = parse_address("255.255.255.255")


def is_group_address(cluster: Cluster, destination: Endpoint) -> bool:
    """True if the destination is a multicast or broadcast address, to which no packet is delivered.

    The last address of a pod CIDR is a broadcast address, unless a pod holds it.
    """
    if not isinstance(destination, OutsideEnd):
        return False
    address = destination.address
    return (
        address == _BROADCAST
        or any(block.contains(host_prefix(address)) for block in _MULTICAST)
        or any(address == _broadcast(cidr) for node in cluster.nodes.values() for cidr in node.pod_cidrs)
    )


def group_prefixes(cluster: Cluster) -> tuple[Prefix, ...]:
    """The prefixes of all multicast and broadcast addresses."""
    broadcasts = (_broadcast(cidr) for node in cluster.nodes.values() for cidr in node.pod_cidrs)
    return (*_MULTICAST, *(host_prefix(address) for address in (_BROADCAST, *broadcasts) if address is not None))


def _broadcast(cidr: Prefix) -> Address | None:
    """The last address of an IPv4 block; IPv6, and IPv4 blocks of one or two addresses (RFC 3021), have none."""
    if cidr.family == 6 or cidr.length > 30:
        return None
    return Address((cidr.value | ((1 << (cidr.width - cidr.length)) - 1)).to_bytes(4, "big"))
