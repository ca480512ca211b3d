"""Conflicts between nodes: which node has which block and address, and the address family of the tunnels.

An unusable node is left out with its pods: no node routes to these pods, and the addresses of the node count as
addresses outside of the cluster. If two nodes claim the same, one wrong Node object takes nothing from the others.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from ovsnp.manifests.kinds.nodes import ADDRESSES, POD_CIDRS
from ovsnp.manifests.kinds.unique import PlacedNode
from ovsnp.model.address import FAMILIES, Address, Prefix, family, format_address
from ovsnp.model.cluster import Node
from ovsnp.yaml_reader.paths import Path
from ovsnp.yaml_reader.report import MistakeReport, Subject

_OUT = "ovsnp leaves the node and its pods out"


def usable_nodes(found: Mapping[str, PlacedNode], report: MistakeReport) -> dict[str, Node]:
    """The usable nodes, with the blocks and addresses that are their own; notes everything else."""
    claims = _Claims(found, report)
    with_blocks = {name: blocks for name, blocks in claims.blocks().items() if blocks}
    addresses = claims.addresses(with_blocks)
    tunnels = claims.tunnels(addresses)
    return {name: Node(name, with_blocks[name], addresses[name], tunnel) for name, tunnel in sorted(tunnels.items())}


class _Claims:
    def __init__(self, found: Mapping[str, PlacedNode], report: MistakeReport) -> None:
        self._placed = found
        self._nodes = {name: placed.node for name, placed in found.items()}
        self._report = report

    def blocks(self) -> dict[str, tuple[Prefix, ...]]:
        """The pod CIDRs of each node, without those that another node has."""
        claimed: dict[Prefix, list[str]] = defaultdict(list)
        for node in self._nodes.values():
            for cidr in node.pod_cidrs:
                claimed[cidr].append(node.name)
        lost = {*self._doubled_blocks(claimed), *self._nested_blocks(claimed)}
        kept = {
            node.name: tuple(cidr for cidr in node.pod_cidrs if (cidr, node.name) not in lost)
            for node in self._nodes.values()
        }
        for name in (name for name, blocks in kept.items() if not blocks):
            what = "no block is left" if self._nodes[name].pod_cidrs else "no block for pods"
            self._note(name, POD_CIDRS, f"{what}; {_OUT} until it has one")
        return kept

    def _doubled_blocks(self, claimed: Mapping[Prefix, list[str]]) -> Iterator[tuple[Prefix, str]]:
        for cidr, names in claimed.items():
            holder = _only_best({name: int(self._nodes[name].leaving) for name in names})
            for name in (name for name in names if name != holder):
                self._note(name, POD_CIDRS, _shared(str(cidr), "block", name, names, holder))
                yield cidr, name

    def _nested_blocks(self, claimed: Mapping[Prefix, list[str]]) -> Iterator[tuple[Prefix, str]]:
        """Of two blocks that overlap, the wider one is lost: it would take the pods of every node inside.

        The inner block is lost instead if all its nodes are leaving and a node of the wider block is not.
        """
        around: list[Prefix] = []
        told: set[Prefix] = set()
        for cidr in sorted(claimed):
            while around and not around[-1].contains(cidr):
                around.pop()
            for wide in around:
                inner_leaves = self._all_leave(claimed[cidr]) and not self._all_leave(claimed[wide])
                loser, other = (cidr, wide) if inner_leaves else (wide, cidr)
                for name in claimed[loser] if loser not in told else ():
                    what = f"{loser} overlaps {other} of node {min(claimed[other])}"
                    self._note(name, POD_CIDRS, f"{what}; ovsnp leaves {loser} out")
                    yield loser, name
                told.add(loser)
            around.append(cidr)

    def _all_leave(self, names: list[str]) -> bool:
        return all(self._nodes[name].leaving for name in names)

    def addresses(self, names: Mapping[str, object]) -> dict[str, tuple[Address, ...]]:
        """The addresses of each of these nodes, without those that another node has."""
        claimed: dict[Address, list[str]] = defaultdict(list)
        for name in names:
            for address in self._nodes[name].addresses:
                claimed[address].append(name)
        lost = set()
        for address, claimants in claimed.items():
            holder = _only_best({name: self._rank(name, address) for name in claimants})
            for name in (name for name in claimants if name != holder):
                self._note(name, ADDRESSES, _shared(format_address(address), "address", name, claimants, holder))
                lost.add((address, name))
        return {
            name: tuple(address for address in self._nodes[name].addresses if (address, name) not in lost)
            for name in names
        }

    def _rank(self, name: str, address: Address) -> int:
        """The rank of a claim to an address, the best is lowest: ready nodes first, then InternalIPs."""
        node = self._nodes[name]
        return 2 * node.leaving + (address not in node.internal)

    def tunnels(self, addresses: Mapping[str, tuple[Address, ...]]) -> dict[str, Address | None]:
        """The tunnel endpoint of each node; leaves out nodes without an address in the family of the tunnels.

        A single node needs no tunnel.
        """
        internal = {
            name: [address for address in own if address in self._nodes[name].internal]
            for name, own in addresses.items()
        }
        version = _tunnel_family([own for own in internal.values() if own])
        ends = {name: next((each for each in own if family(each) == version), None) for name, own in internal.items()}
        if len(ends) == 1:
            return ends
        for name in (name for name, end in ends.items() if end is None):
            need = f"no IPv{version} InternalIP, and the tunnels of the other nodes are IPv{version}"
            what = need if internal[name] else "no InternalIP, which other nodes send its pods' traffic to"
            self._note(name, ADDRESSES, f"{what}; {_OUT} until it has one")
        return {name: end for name, end in ends.items() if end is not None}

    def _note(self, name: str, path: Path, message: str) -> None:
        self._report.begin(self._placed[name].place, Subject("Node", None, name))
        self._report.note(path, message)


def _only_best(ranks: Mapping[str, int]) -> str | None:
    """The node with the best claim; None if two claims are equally good."""
    best = min(ranks.values())
    names = [name for name, rank in ranks.items() if rank == best]
    return names[0] if len(names) == 1 else None


def _shared(what: str, kind: str, name: str, names: list[str], holder: str | None) -> str:
    """The note about a block or an address that several nodes claim; ``holder`` is the node that keeps it."""
    others = sorted(other for other in names if other != name)
    also = f"{what} is the {kind} of node {' and of node '.join(others)} too"
    return f"{also}; ovsnp gives it to {holder}" if holder else f"{also}; ovsnp gives it to no node"


def _tunnel_family(nodes: list[list[Address]]) -> int:
    """The family that most nodes have; of two, the one that most nodes list first, or else IPv4."""
    having = Counter(version for own in nodes for version in {family(address) for address in own})
    first = Counter(family(own[0]) for own in nodes)
    return max(FAMILIES, key=lambda version: (having[version], first[version], -version))
