"""Which classes of sources reach which classes of destinations, at which classes of traffic.

The answers are those of `judge` without exemptions, for all members of two classes at once; traffic is a set of
classes, as bits. What one side allows is folded from steps in order, of which the first that matches decides.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum, auto
from typing import NamedTuple

from ovsnp.model.policy import Direction
from ovsnp.verify.prepared import Prepared
from ovsnp.verify.rulebook import Facts, Partition, Rulebook


class ByPeer(NamedTuple):
    """Traffic with each class of peers: with those ``listed``, and with all ``others``."""

    others: int
    listed: Mapping[int, int] = {}

    def of(self, far: int) -> int:
        """The traffic with one class."""
        return self.listed.get(far, self.others)


class Action(Enum):
    """What a step does with the traffic that it matches."""

    ACCEPT = auto()
    DENY = auto()


_DECIDE: Mapping[Action, Callable[[int, int], int]] = {
    Action.ACCEPT: lambda matched, below: below | matched,
    Action.DENY: lambda matched, below: below & ~matched,
}
"""What is allowed by an action on what it matches, and by the steps ``below`` it on the rest."""

Step = tuple[Action, ByPeer]


def fold(steps: Sequence[Step], everything: int) -> ByPeer:
    """What is allowed where the first step that matches decides; what no step matches is allowed."""
    allowed = ByPeer(everything)
    for action, matched in reversed(steps):
        decide, below = _DECIDE[action], allowed
        peers = matched.listed.keys() | below.listed.keys()
        allowed = ByPeer(
            decide(matched.others, below.others), {far: decide(matched.of(far), below.of(far)) for far in peers}
        )
    return allowed


class Relation:
    """What the policies of a cluster allow between the classes of a partition."""

    def __init__(self, prepared: Prepared, partition: Partition) -> None:
        self.rules = Rulebook(prepared, partition)
        self._sides: dict[tuple[Direction, int], ByPeer] = {}
        self._alike: dict[object, ByPeer] = {}

    def allowed(self, source: int, destination: int) -> int:
        """The traffic that both ends' policies allow."""
        sent = self.side(Direction.EGRESS, source).of(destination)
        return sent & self.side(Direction.INGRESS, destination).of(source)

    def side(self, direction: Direction, near: int) -> ByPeer:
        """The traffic that the policies of one end allow in a direction; all where none isolates it."""
        key = direction, near
        if key not in self._sides:
            self._sides[key] = self._side(direction, near)
        return self._sides[key]

    def _side(self, direction: Direction, near: int) -> ByPeer:
        policies = tuple(policy.key for policy in self.rules.isolating(direction, near))
        rules = self._rules(direction, near)
        # The ports of a rule that have names are those of the destination: for ingress of the end itself.
        own = tuple(self.rules.ports_at(each, near) for each in rules) if direction is Direction.INGRESS else None
        key = direction, policies, own
        if key not in self._alike:
            self._alike[key] = fold(self._steps(direction, near) if policies else (), self.rules.everything)
        return self._alike[key]

    def _steps(self, direction: Direction, near: int) -> Sequence[Step]:
        """In order: the policies' rules, which only accept, so they are one step; then that they isolate."""
        matched = self._matched(self._rules(direction, near), None if direction is Direction.EGRESS else near)
        return (Action.ACCEPT, matched), (Action.DENY, ByPeer(self.rules.everything))

    def _rules(self, direction: Direction, near: int) -> list[Facts]:
        isolating = self.rules.isolating(direction, near)
        return [facts for policy in isolating for facts in self.rules.facts(policy, direction)]

    def _matched(self, rules: Iterable[Facts], destination: int | None) -> ByPeer:
        """All that is matched by any of some rules; without a ``destination`` the peers are the destinations."""
        others, listed = 0, defaultdict[int, int](int)
        for facts in rules:
            if destination is None and facts.named:
                for far in self.rules.ends if facts.peers is None else facts.peers:
                    listed[far] |= self.rules.ports_at(facts, far)
                continue
            ports = facts.ports if destination is None else self.rules.ports_at(facts, destination)
            if facts.peers is None:
                others |= ports
            for far in facts.peers or ():
                listed[far] |= ports
        return ByPeer(others, {far: ports | others for far, ports in listed.items()})

    def admitting(self, direction: Direction, source: int, destination: int) -> list[Facts]:
        """The rules of one side that admit some of the traffic between two classes."""
        near, far = (source, destination) if direction is Direction.EGRESS else (destination, source)
        return [
            facts
            for facts in self._rules(direction, near)
            if facts.names(far) and self.rules.ports_at(facts, destination)
        ]
