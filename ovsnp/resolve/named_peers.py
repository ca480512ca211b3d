"""The peers of an egress rule, grouped by the numbers that they give the rule's named ports."""

from collections import Counter
from collections.abc import Iterable

from ovsnp.ir.ruleset import PortRange
from ovsnp.model.address import Address, Prefix, host_prefix
from ovsnp.model.policy import IPBlock
from ovsnp.model.ports import ContainerPort, PortEntry
from ovsnp.resolve import ports


class NamedPeers:
    """The peers of egress rules with the same named ports: one peer set for each meaning of the names.

    A meaning is the set of ports that the names stand for at a peer. ``blocks`` are the ipBlocks among the peers, which
    mean pods by address. ``users`` are the policies that have such a rule, by namespace and name. ``changed``: a
    meaning is new, or is gone.
    """

    def __init__(self, peers: str, entries: tuple[PortEntry, ...], blocks: Iterable[IPBlock]) -> None:
        asked = ",".join(sorted(f"{entry.port}/{entry.protocol}" for entry in entries))
        self.key = f"{peers} by {asked}"
        self.users: Counter[tuple[str, str]] = Counter()
        self.changed = False
        self._entries = entries
        self.blocks = tuple(blocks)
        self._meanings: Counter[tuple[PortRange, ...]] = Counter()

    def meanings(self) -> dict[tuple[PortRange, ...], str]:
        """The meanings of the names at all peers, each with the name of its peer set."""
        return {meaning: ports.variant(self.key, meaning) for meaning in self._meanings}

    def set_of(self, held: tuple[ContainerPort, ...]) -> str | None:
        """The peer set of pods with these ports; None if the pods have none of the names."""
        meaning = ports.named_port_ranges(self._entries, held)
        return ports.variant(self.key, meaning) if meaning else None

    def covers(self, address: Address) -> bool:
        """True if one of the rule's ipBlocks holds the address."""
        return any(_covers(block, host_prefix(address)) for block in self.blocks)

    def join(self, held: tuple[ContainerPort, ...]) -> None:
        """Count pods with these ports among the peers."""
        if meaning := ports.named_port_ranges(self._entries, held):
            self.changed |= meaning not in self._meanings
            self._meanings[meaning] += 1

    def leave(self, held: tuple[ContainerPort, ...]) -> None:
        """No longer count pods with these ports among the peers."""
        if meaning := ports.named_port_ranges(self._entries, held):
            self._meanings[meaning] -= 1
            if not self._meanings[meaning]:
                del self._meanings[meaning]
                self.changed = True


def _covers(block: IPBlock, prefix: Prefix) -> bool:
    return block.cidr.contains(prefix) and not any(hole.contains(prefix) for hole in block.excepts)
