"""Hosts outside a cluster: one in each block of its policies, one in no block, and one in each exception."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ovsnp.model.address import FAMILIES, Address, Prefix, family, host_prefix, parse_address, parse_prefix
from ovsnp.model.cluster import Cluster
from ovsnp.model.policy import IPBlock, NetworkPolicy

MOST = 8
"""The most outside hosts of a lab: every host is tried with every pod."""

_SAMPLES = tuple(
    map(parse_address, ("203.0.113.10", "198.51.100.10", "192.0.2.10", "2001:db8:113::10", "2001:db8:51::10"))
)
"""Addresses from the blocks for documentation (RFC 5737, RFC 3849), which no real host has."""

_UNUSABLE = tuple(
    map(
        parse_prefix,
        ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3", "::/8", "fe80::/9", "ff00::/8"),
    )
)
"""Blocks whose addresses no host can have: this network, loopback, link-local, multicast, reserved."""


class Outsiders(NamedTuple):
    """The addresses of the outside hosts, and words for the hosts for which there is no room."""

    addresses: tuple[Address, ...]
    unmet: tuple[str, ...]


def find_outsiders(
    cluster: Cluster, policies: Iterable[NetworkPolicy], taken: Sequence[Prefix], families: Iterable[int]
) -> Outsiders:
    """Addresses of these families for the blocks of these policies; ``taken`` are the segments of the lab's nodes."""
    inside = [
        *_UNUSABLE,
        *taken,
        *cluster.service_cidrs,
        *(cidr for node in cluster.nodes.values() for cidr in node.pod_cidrs),
        *(host_prefix(address) for node in cluster.nodes.values() for address in node.addresses),
        *(host_prefix(ip) for service in cluster.services for ip in service.cluster_ips),
    ]
    blocks = [block for policy in policies for block in policy.blocks if block.cidr.family in families]
    found: list[Address] = []
    unmet: list[str] = []
    for prefix, without in _wanted(blocks, families):
        if any(_is_in(address, prefix, without) for address in found):
            continue
        address = free_address(prefix, [*inside, *without])
        if address is not None and len(found) < MOST:
            found.append(address)
        elif address is not None:
            unmet.append(f"a host in {prefix}")
    return Outsiders(tuple(found), tuple(dict.fromkeys(unmet)))


def free_address(prefix: Prefix, without: Iterable[Prefix]) -> Address | None:
    """An address of ``prefix`` that is in none of ``without``; None where there is no such address."""
    parts = [part for part in without if part.family == prefix.family]
    # A gap begins where the prefix does, or behind a part.
    begins = [prefix.value, *(part.value + (1 << (part.width - part.length)) for part in parts)]
    samples = [int.from_bytes(each, "big") for each in _SAMPLES if family(each) == prefix.family]
    for value in (*samples, *(begin + 1 for begin in begins), *begins):
        if 0 <= value < 1 << prefix.width:
            host = Prefix(prefix.family, value, prefix.width)
            if prefix.contains(host) and not any(part.contains(host) for part in parts):
                return host.first
    return None


def _wanted(blocks: Sequence[IPBlock], families: Iterable[int]) -> Iterator[tuple[Prefix, Sequence[Prefix]]]:
    """The prefixes that need a host, with the parts where the host must not be; the most important prefix first."""
    yield from ((block.cidr, block.excepts) for block in blocks)
    everywhere = {4: parse_prefix("0.0.0.0/0"), 6: parse_prefix("::/0")}
    for version in FAMILIES:
        if version in families:
            # No host is outside of a block of all addresses, so such a block is not excluded.
            yield everywhere[version], [block.cidr for block in blocks if block.cidr.length]
    yield from ((part, ()) for block in blocks for part in block.excepts)


def _is_in(address: Address, prefix: Prefix, without: Sequence[Prefix]) -> bool:
    host = host_prefix(address)
    return prefix.contains(host) and not any(part.contains(host) for part in without)
