"""The policies for one node, with selectors resolved: isolated pods, rules, and the peer sets of the rules."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from ovsnp.model.address import Address
from ovsnp.model.policy import Direction, IPBlock
from ovsnp.model.ports import Protocol


class RuleRef(msgspec.Struct, frozen=True, order=True):
    """The name of a rule: a policy, a section (``ingress`` or ``egress``), and the index in it."""

    namespace: str
    policy: str
    direction: Direction
    index: int

    def __str__(self) -> str:
        return f"{self.namespace}/{self.policy} {self.direction.section}[{self.index}]"


class PortRange(msgspec.Struct, frozen=True, order=True):
    """Destination ports ``first`` to ``last`` of a protocol, both included; 0 to 65535 is the whole protocol."""

    protocol: Protocol
    first: int = 0
    last: int = 65535

    def __str__(self) -> str:
        if (self.first, self.last) == (0, 65535):
            return str(self.protocol)
        numbers = str(self.first) if self.first == self.last else f"{self.first}-{self.last}"
        return f"{self.protocol} {numbers}"


class PeerTable(StrEnum):
    """A table that maps an address to peer sets: the address of a peer, or the cluster IP that a client connects to."""

    EGRESS = "EgressPeer"
    EGRESS_SERVICE = "EgressServicePeer"
    INGRESS = "IngressPeer"


PEERS = {Direction.EGRESS: PeerTable.EGRESS, Direction.INGRESS: PeerTable.INGRESS}
"""The table of the peers of each direction's rules."""


class ResolvedRule(msgspec.Struct, frozen=True):
    """One rule, for subjects and peers that give its named ports the same numbers.

    ``key`` is unique: the name of the rule, and where one rule became several, the ports or ``by cluster IP``.
    ``subjects`` are the keys of local pods, sorted. ``peers`` is the name of a peer set in ``table``; None is every
    peer. ``ports`` None is every port and protocol. In table EgressServicePeer peers and ports are not those of the
    destination, but those of the cluster IP that the client connected to.
    """

    ref: RuleRef
    key: str
    subjects: tuple[str, ...]
    peers: str | None
    ports: tuple[PortRange, ...] | None
    table: PeerTable


class RuleChanges(msgspec.Struct, frozen=True):
    """The changes of the policies for one node.

    ``isolated`` says of local pods, by key, whether a policy of the direction selects them. ``rules`` are by key; None:
    the rule is removed. A peer set is named after its selectors and blocks, so equal sets have the same name.
    ``blocks`` are the ipBlocks of a peer set, and the pod CIDRs where the set holds every pod; empty: the set has no
    blocks any more. ``listed`` are the names of the peer sets that list an address, such as the address of a selected
    pod.
    """

    isolated: Mapping[Direction, Mapping[str, bool]]
    rules: Mapping[Direction, Mapping[str, ResolvedRule | None]]
    blocks: Mapping[PeerTable, Mapping[str, tuple[IPBlock, ...]]]
    listed: Mapping[PeerTable, Mapping[Address, frozenset[str]]]
