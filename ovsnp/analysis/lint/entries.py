"""The rules of policies, each with its path in the object."""

from collections.abc import Iterator
from typing import NamedTuple

from ovsnp.model.policy import Direction, NetworkPolicy, Peer, Rule
from ovsnp.model.ports import PortEntry
from ovsnp.oracle import affects
from ovsnp.yaml_reader.paths import Path


class RuleEntry(NamedTuple):
    """A rule that counts: its section is one of the policy's types."""

    policy: NetworkPolicy
    direction: Direction
    position: int
    rule: Rule

    @property
    def path(self) -> Path:
        return ("spec", self.direction.section, self.position)

    @property
    def order(self) -> tuple[str, int]:
        """Sorts the rules of one direction by policy and position."""
        return self.policy.key, self.position

    def peers(self) -> Iterator[tuple[Path, Peer]]:
        """Each item of ``from`` or ``to``."""
        field = "from" if self.direction is Direction.INGRESS else "to"
        return (((*self.path, field, index), peer) for index, peer in enumerate(self.rule.peers))

    def ports(self) -> Iterator[tuple[Path, PortEntry]]:
        """Each item of ``ports``."""
        return (((*self.path, "ports", index), port) for index, port in enumerate(self.rule.ports))

    def __str__(self) -> str:
        return f"{self.policy.key} {self.direction.section}[{self.position}]"


def rules(policy: NetworkPolicy) -> Iterator[RuleEntry]:
    """The rules of the directions that a policy is about."""
    for direction in Direction:
        if affects(policy, direction):
            for index, rule in enumerate(policy.rules(direction)):
                yield RuleEntry(policy, direction, index, rule)
