"""What the policies ask of one node: who is isolated, and which rules admit whom, with selectors resolved."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from ovsnp.model.address import Address
from ovsnp.model.policy import Direction, IPBlock
from ovsnp.model.ports import Protocol


class RuleRef(msgspec.Struct, frozen=True, order=True):
    """A rule's name: which item of which section of which policy."""

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
    """A table that says which peer sets hold an address: a peer's, or the cluster IP that a packet was sent to."""

    EGRESS = "EgressPeer"
    EGRESS_SERVICE = "EgressServicePeer"
    INGRESS = "IngressPeer"


PEERS = {Direction.EGRESS: PeerTable.EGRESS, Direction.INGRESS: PeerTable.INGRESS}
"""The table that knows the peers of a direction's rules."""


class ResolvedRule(msgspec.Struct, frozen=True):
    """One rule for the local pods that agree on what its named ports mean.

    ``key`` tells it from every other: the rule's name, and where named ports made it several, the ports.
    ``subjects`` are the keys of local pods, sorted. ``peers`` is the name of a peer set in ``table``; None is everyone.
    ``ports`` None is every port and protocol. In table EgressServicePeer peers and ports are not of the destination,
    but of the cluster IP that a connection was opened to.
    """

    ref: RuleRef
    key: str
    subjects: tuple[str, ...]
    peers: str | None
    ports: tuple[PortRange, ...] | None
    table: PeerTable


class RuleChanges(msgspec.Struct, frozen=True):
    """What is another in what policies ask of one node; what is not named is as before.

    ``isolated`` says of local pods, by key, whether a policy of the direction selects them. ``rules`` are by key; None:
    the rule is gone. A peer set is named after the selectors and blocks that it is made of, so sets that say the same
    have the same name. ``blocks`` are the ipBlocks of a peer set, and the pods' CIDRs where every pod is meant; none:
    the set has no blocks any more. ``listed`` are the names of the peer sets that list an address, as that of a pod
    that a selector selects.
    """

    isolated: Mapping[Direction, Mapping[str, bool]]
    rules: Mapping[Direction, Mapping[str, ResolvedRule | None]]
    blocks: Mapping[PeerTable, Mapping[str, tuple[IPBlock, ...]]]
    listed: Mapping[PeerTable, Mapping[Address, frozenset[str]]]
