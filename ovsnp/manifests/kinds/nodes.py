"""Single nodes: the addresses and blocks that a Node object claims."""

from collections.abc import Iterator

import msgspec

from ovsnp.manifests.kinds import wire
from ovsnp.manifests.kinds.blocks import note_address, read_prefix
from ovsnp.manifests.kinds.labels import read_name
from ovsnp.model.address import Address, Prefix
from ovsnp.yaml_reader.paths import Path
from ovsnp.yaml_reader.report import MistakeReport

ADDRESSES: Path = ("status", "addresses")
POD_CIDRS: Path = ("spec", "podCIDRs")

_INTERNAL = "InternalIP"


class WrittenNode(msgspec.Struct, frozen=True):
    """A Node object as far as ovsnp reads it, before the comparison with the other nodes.

    ``leaving`` is true if the node is being deleted or is not ready: it loses what a ready node claims too.
    """

    name: str
    pod_cidrs: tuple[Prefix, ...]
    addresses: tuple[Address, ...]
    internal: tuple[Address, ...]
    leaving: bool


def read_node(node: wire.ApiNode, report: MistakeReport) -> WrittenNode:
    """A node; leaves out addresses that are invalid and blocks that are too small or too many, with a note."""
    status = node.status or wire.ApiNodeStatus()
    addresses = dict(_read_addresses(status, report))
    return WrittenNode(
        name=read_name(node.metadata, report),
        pod_cidrs=_read_pod_cidrs(node.spec or wire.ApiNodeSpec(), report),
        addresses=tuple(addresses),
        internal=tuple(address for address, type_ in addresses.items() if type_ == _INTERNAL),
        leaving=bool(node.metadata and node.metadata.deletion_timestamp) or _is_unready(status),
    )


def _is_unready(status: wire.ApiNodeStatus) -> bool:
    """True if the node says so. A node without conditions counts as ready, as people write such nodes."""
    conditions = (condition for condition in status.conditions or () if condition and condition.type == "Ready")
    return any(condition.status != "True" for condition in conditions)


def _read_addresses(status: wire.ApiNodeStatus, report: MistakeReport) -> Iterator[tuple[Address, str]]:
    """The IPs of a node with their type; an address that is both internal and external counts as internal."""
    found: dict[Address, str] = {}
    for index, entry in enumerate(status.addresses or ()):
        if entry is None or entry.type not in (_INTERNAL, "ExternalIP"):
            continue
        address = note_address(entry.address or "", (*ADDRESSES, index, "address"), report)
        if address is not None and found.get(address) != _INTERNAL:
            found[address] = entry.type
    yield from found.items()


def _read_pod_cidrs(spec: wire.ApiNodeSpec, report: MistakeReport) -> tuple[Prefix, ...]:
    found: list[Prefix] = []
    for path, text in _pod_cidr_texts(spec):
        prefix = read_prefix(text, path, report)
        if prefix is None:
            continue
        if prefix.length > prefix.width - 2:
            report.note(path, f"{prefix} has no room for a gateway and pods; ovsnp leaves the block out")
        elif any(prefix.family == other.family for other in found):
            report.note(path, f"{prefix} is the node's second IPv{prefix.family} block; ovsnp takes the first only")
        else:
            found.append(prefix)
    return tuple(found)


def _pod_cidr_texts(spec: wire.ApiNodeSpec) -> list[tuple[Path, str]]:
    if spec.pod_cidrs:
        return [((*POD_CIDRS, index), text or "") for index, text in enumerate(spec.pod_cidrs)]
    return [(("spec", "podCIDR"), spec.pod_cidr)] if spec.pod_cidr else []
