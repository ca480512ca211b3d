"""The addresses of a lab's nodes on the underlay: their own addresses, where these fit one segment."""

from collections.abc import Sequence
from typing import NamedTuple

from ovsnp.model.address import FAMILIES, Address, Prefix, family, format_address, host_prefix, parse_prefix
from ovsnp.model.cluster import Node

_BROADEST = {4: 8, 6: 16}
"""The shortest prefix of a segment, by family: a broader segment would hold much of the rest of the world."""
_NARROWEST = {4: 30, 6: 126}
_INSTEAD = {4: parse_prefix("198.18.0.0/15"), 6: parse_prefix("2001:db8:ffff::/64")}
"""The segments to use instead: blocks for tests of networks (RFC 2544), and for documentation."""


class Underlay(NamedTuple):
    """The nodes with one address of each segment, the segment of each family, and sentences about changed addresses."""

    nodes: tuple[Node, ...]
    segments: dict[int, Prefix]
    changes: tuple[str, ...]


def lay(nodes: Sequence[Node]) -> Underlay:
    """Put the nodes on one segment for each family that all of them have, and always for the family of the tunnels."""
    tunnel = next((family(node.tunnel_address) for node in nodes if node.tunnel_address is not None), 4)
    segments: dict[int, Prefix] = {}
    addresses: dict[str, list[Address]] = {node.name: [] for node in nodes}
    changes = []
    for version in sorted(FAMILIES, key=lambda each: each != tunnel):
        own = [_own(node, version) for node in nodes]
        found = [address for address in own if address is not None]
        if len(found) < len(nodes) and version != tunnel:
            continue
        segment = _segment(found) if len(found) == len(nodes) else None
        if segment is None or any(cidr.contains(segment) for node in nodes for cidr in node.pod_cidrs):
            segment = _INSTEAD[version]
            first = format_address(_nth(segment, 1))
            changes.append(
                f"the nodes' IPv{version} addresses do not fit one segment; the lab has {first} and up instead"
            )
            found = [_nth(segment, number) for number in range(1, len(nodes) + 1)]
        segments[version] = segment
        for node, address in zip(nodes, found, strict=True):
            addresses[node.name].append(address)
    laid = (Node(node.name, node.pod_cidrs, tuple(addresses[node.name]), addresses[node.name][0]) for node in nodes)
    return Underlay(tuple(laid), segments, tuple(changes))


def _own(node: Node, version: int) -> Address | None:
    """The tunnel address if it is of this family, else the first address of the family; None without one."""
    mine = [address for address in (node.tunnel_address, *node.addresses) if address is not None]
    return next((address for address in mine if family(address) == version), None)


def _segment(addresses: Sequence[Address]) -> Prefix | None:
    """The smallest block with all of the addresses inside; None where it is too broad, or two addresses are the same.

    No node may have the first or last address of the block: network and broadcast, or the routers' anycast address.
    """
    hosts = [host_prefix(address) for address in addresses]
    version, width = hosts[0].family, hosts[0].width
    differ = 0
    for host in hosts:
        differ |= host.value ^ hosts[0].value
    length = min(width - differ.bit_length(), _NARROWEST[version])
    while length and any(host.value % (1 << (width - length)) in (0, (1 << (width - length)) - 1) for host in hosts):
        length -= 1
    if length < _BROADEST[version] or len(set(hosts)) < len(hosts):
        return None
    return Prefix(version, hosts[0].value >> (width - length) << (width - length), length)


def _nth(segment: Prefix, number: int) -> Address:
    return Prefix(segment.family, segment.value + number, segment.width).first
