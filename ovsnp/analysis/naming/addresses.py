"""Ends of connections that are written as addresses."""

import re
from collections.abc import Iterable

from ovsnp.analysis.naming.ends import ClusterIPEnd, Target, name_of
from ovsnp.analysis.naming.near_names import nearest
from ovsnp.analysis.naming.nodes_and_services import service_target
from ovsnp.errors import UsageError
from ovsnp.model.address import Address, Prefix, format_address, host_prefix, parse_address
from ovsnp.model.cluster import Cluster
from ovsnp.oracle import OutsideEnd, who

_ADDRESS_LIKE = re.compile(r"[0-9]+(\.[0-9]*)+|.*:.*")
_BLOCK_LIKE = re.compile(r"([0-9.]+|[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*)/[0-9]+")
_MAPPED = bytes(10) + b"\xff\xff"


def is_address(text: str) -> bool:
    """True if a text can only be an address; raises UsageError for a block of addresses."""
    if _BLOCK_LIKE.fullmatch(text):
        raise UsageError(f"{text} is a block of addresses; name one address of it")
    return bool(_ADDRESS_LIKE.fullmatch(text))


def read_address(text: str) -> Address:
    """Read an address; raises UsageError where the text is no address."""
    try:
        address = parse_address(text)
    except ValueError as error:
        raise UsageError(f"{error}; write one like 10.0.0.1 or fd00::1") from None
    if len(address) == 16 and address.startswith(_MAPPED):
        raise UsageError(f"{text} is an IPv4 address inside an IPv6 one; write {format_address(Address(address[12:]))}")
    return address


def address_target(cluster: Cluster, address: Address, service_cidrs: Iterable[Prefix]) -> Target:
    """The end with this address; a note says that a Service or pod should have the address, but none has it."""
    end = who(cluster, address)
    if not isinstance(end, OutsideEnd):
        return Target(name_of(end), (end,))
    text, host = format_address(address), host_prefix(address)
    for service in cluster.services:
        if address in service.cluster_ips:
            return service_target(service, (address,))
    if any(cidr.contains(host) for cidr in service_cidrs):
        held = {format_address(each): service.key for service in cluster.services for each in service.cluster_ips}
        note = f"{text} lies in a service CIDR, but no Service has it{_nearest_held(text, held)}"
        return Target(text, (ClusterIPEnd(address, None),), (note,))
    for node in cluster.nodes.values():
        for cidr in node.pod_cidrs:
            if cidr.contains(host):
                held = {format_address(each): pod.key for pod in cluster.pods for each in pod.addresses}
                note = f"{text} lies in {cidr}, the pod CIDR of {node.name}, but no pod has it"
                return Target(text, (end,), (f"{note}{_nearest_held(text, held)}: judged as an outsider's",))
    return Target(text, (end,))


def _nearest_held(text: str, held: dict[str, str]) -> str:
    likely = nearest(text, held)
    return f" (nearest: {', '.join(f'{each} of {held[each]}' for each in likely)})" if likely else ""
