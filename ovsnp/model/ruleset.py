"""What the policies ask of one node: who is isolated, and which rules admit whom, with selectors resolved."""

import msgspec

from ovsnp.model.address import Address
from ovsnp.model.cluster import Pod
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


class PeerSet(msgspec.Struct, frozen=True):
    """The addresses that one rule's peers denote.

    ``name`` is made of the selectors and blocks themselves, so sets that say the same have the same name, in
    whichever policies they stand. ``addresses`` are those of the selected pods, ``blocks`` the ipBlocks, and
    the pods' CIDRs where every pod is meant.
    """

    name: str
    addresses: frozenset[Address] = frozenset()
    blocks: tuple[IPBlock, ...] = ()


class ResolvedRule(msgspec.Struct, frozen=True):
    """One rule for the local pods that agree on what its named ports mean.

    ``key`` tells it from every other: the rule's name, and where named ports made it several, the ports.
    ``subjects`` are local pods. ``peers`` None is everyone, ``ports`` None every port and protocol. With ``service``
    these are not of the destination, but of the cluster IP that a connection was opened to.
    """

    ref: RuleRef
    key: str
    subjects: tuple[Pod, ...]
    peers: PeerSet | None
    ports: tuple[PortRange, ...] | None
    service: bool = False


class RuleSet(msgspec.Struct, frozen=True):
    """One direction: the local pods that are isolated, and the rules that admit."""

    direction: Direction
    isolated: tuple[Pod, ...]
    rules: tuple[ResolvedRule, ...]
