"""Nodes: each by itself, then all against each other."""

from collections.abc import Iterator, Mapping

from ovsnp.manifests.kinds import wire
from ovsnp.manifests.kinds.blocks import read_address, read_prefix
from ovsnp.manifests.kinds.labels import read_name
from ovsnp.manifests.kinds.unique import PlacedNode
from ovsnp.manifests.paths import Path
from ovsnp.manifests.report import Report, Subject
from ovsnp.model.address import Address, Prefix, family, format_address
from ovsnp.model.cluster import Node

_ADDRESSES: Path = ("status", "addresses")


def read_node(node: wire.Node, report: Report) -> Node:
    """A node, as far as it can be read; everything that cannot is reported."""
    addresses = dict(_read_addresses(node.status or wire.NodeStatus(), report))
    internal = [address for address, type_ in addresses.items() if type_ == "InternalIP"]
    return Node(
        name=read_name(node.metadata, report),
        pod_cidrs=_read_pod_cidrs(node.spec or wire.NodeSpec(), report),
        addresses=tuple(addresses),
        tunnel_address=internal[0] if internal else None,
    )


def _read_addresses(status: wire.NodeStatus, report: Report) -> Iterator[tuple[Address, str]]:
    """The node's IPs with their type; an address that is both internal and external counts as internal."""
    found: dict[Address, str] = {}
    for index, entry in enumerate(status.addresses or ()):
        if entry is None or entry.type not in ("InternalIP", "ExternalIP"):
            continue
        address = read_address(entry.address or "", (*_ADDRESSES, index, "address"), report)
        if address is not None and found.get(address) != "InternalIP":
            found[address] = entry.type
    yield from found.items()


def _read_pod_cidrs(spec: wire.NodeSpec, report: Report) -> tuple[Prefix, ...]:
    found: list[Prefix] = []
    for path, text in _pod_cidr_texts(spec):
        prefix = read_prefix(text, path, report)
        if prefix is None:
            continue
        if prefix.length > prefix.width - 2:
            report.add(path, f"{prefix} has no room for a gateway and pods; give the node a larger block")
        elif any(prefix.family == other.family for other in found):
            report.add(path, f"{prefix} is the node's second IPv{prefix.family} block; a node has one of each family")
        else:
            found.append(prefix)
    if not _pod_cidr_texts(spec):
        report.add(("spec", "podCIDRs"), "missing; give the node the block that its pods' addresses are in")
    return tuple(found)


def _pod_cidr_texts(spec: wire.NodeSpec) -> list[tuple[Path, str]]:
    if spec.pod_cidrs:
        return [(("spec", "podCIDRs", index), text or "") for index, text in enumerate(spec.pod_cidrs)]
    return [(("spec", "podCIDR"), spec.pod_cidr)] if spec.pod_cidr else []


def check_nodes(nodes: Mapping[str, PlacedNode], report: Report) -> None:
    """What must hold between nodes: tunnels of one family, addresses and pod CIDRs of their own."""
    _check_tunnels(nodes, report)
    _check_addresses(nodes, report)
    _check_pod_cidrs(nodes, report)


def _check_tunnels(nodes: Mapping[str, PlacedNode], report: Report) -> None:
    tunnels = [(placed, placed.node.tunnel_address) for placed in nodes.values()]
    families = [family(address) for _, address in tunnels if address is not None]
    for placed, address in tunnels:
        message = None
        if address is None and len(nodes) > 1:
            message = "no InternalIP, which other nodes send its pods' traffic to; give the node one"
        elif address is not None and family(address) != families[0]:
            message = (
                f"the first InternalIP is IPv{family(address)}, but that of other nodes IPv{families[0]}; "
                "tunnels need one family, put that first"
            )
        report.begin(placed.place, Subject("Node", None, placed.node.name))
        report.add(_ADDRESSES, message)


def _check_addresses(nodes: Mapping[str, PlacedNode], report: Report) -> None:
    owners: dict[Address, str] = {}
    for placed in nodes.values():
        report.begin(placed.place, Subject("Node", None, placed.node.name))
        for address in placed.node.addresses:
            owner = owners.setdefault(address, placed.node.name)
            if owner != placed.node.name:
                text = f"{format_address(address)} is the address of node {owner} too; give each node its own"
                report.add(_ADDRESSES, text)


def _check_pod_cidrs(nodes: Mapping[str, PlacedNode], report: Report) -> None:
    blocks = sorted((cidr, placed) for placed in nodes.values() for cidr in placed.node.pod_cidrs)
    widest: tuple[Prefix, PlacedNode] | None = None
    for cidr, placed in blocks:
        if widest is None or not widest[0].contains(cidr):
            widest = (cidr, placed)
            continue
        other, owner = widest
        report.begin(placed.place, Subject("Node", None, placed.node.name))
        message = f"{cidr} overlaps {other} of node {owner.node.name}; give each node a block of its own"
        report.add(("spec", "podCIDRs"), message)
