"""The relation of allowed connections: classes of sources, classes of destinations, and classes of traffic.

The answers are those of `judge` without exemptions, for all members of two classes at once. Traffic is a set of traffic
classes, as bits. The traffic that one end allows is folded from ordered steps; the first step that matches decides.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from copy import copy
from enum import Enum, auto
from typing import NamedTuple

from ovsnp.model.policy import Direction
from ovsnp.oracle.indexed_oracle import IndexedOracle
from ovsnp.oracle.rulebook import CompiledRule, Partition, Rulebook


class ByPeer(NamedTuple):
    """The traffic with each class of peers: with the classes in ``listed``, and with all ``others``."""

    others: int
    listed: Mapping[int, int] = {}

    def of(self, far: int) -> int:
        """The traffic with one class of peers."""
        return self.listed.get(far, self.others)


class Action(Enum):
    """The action of a step on the traffic that it matches."""

    ACCEPT = auto()
    DENY = auto()


class FoldStep(NamedTuple):
    """An action on some traffic with some classes of peers (None: with all)."""

    action: Action
    peers: Collection[int] | None
    traffic: int


_DECIDE: Mapping[Action, Callable[[int], Callable[[int], int]]] = {
    Action.ACCEPT: lambda matched: matched.__or__,
    Action.DENY: lambda matched: (~matched).__and__,
}
"""The effect of a step: the allowed traffic, from the traffic of the step and the traffic that later steps allow."""


def fold(steps: Sequence[FoldStep], everything: int) -> ByPeer:
    """The allowed traffic if the first matching step decides; traffic that no step matches is allowed."""
    others, listed = everything, dict[int, int]()
    for action, peers, traffic in reversed(steps):
        decide = _DECIDE[action](traffic)
        if peers is None:
            others, listed = decide(others), {far: decide(below) for far, below in listed.items()}
        else:
            again = {far: decide(listed[far]) for far in listed.keys() & peers}
            listed |= dict.fromkeys(peers, decide(others)) | again
    return ByPeer(others, listed)


class Relation:
    """The traffic that the policies of a cluster allow between the classes of a partition."""

    def __init__(self, oracle: IndexedOracle, partition: Partition) -> None:
        self.rules = Rulebook(oracle, partition)
        self._beside: Relation | None = None
        self._sides: dict[tuple[Direction, int], ByPeer] = {}
        self._alike: dict[object, ByPeer] = {}

    def beside(self, oracle: IndexedOracle) -> "Relation":
        """The relation of the same classes by other policies; `IndexedOracle.with_policies` made the look-ups.

        An end with the same policies has the same `ByPeer` in both.
        """
        other = copy(self)
        other.rules = self.rules.beside(oracle)
        other._beside, other._sides, other._alike = self, {}, {}
        return other

    def differs(self, other: "Relation", direction: Direction, near: int) -> bool:
        """True if the policies of one end may allow something else than in another relation of the same classes."""
        if self._has_policies_of(other, direction, near) or other._has_policies_of(self, direction, near):
            return False
        return self.side(direction, near) != other.side(direction, near)

    def _has_policies_of(self, other: "Relation | None", direction: Direction, near: int) -> bool:
        """True if this relation was made beside another one, and an end has the same policies in both."""
        if other is None or self._beside is not other:
            return False
        return self.rules.isolating(direction, near) == other.rules.isolating(direction, near)

    def allowed(self, source: int, destination: int) -> int:
        """The traffic between two classes that the policies of both ends allow."""
        sent = self.side(Direction.EGRESS, source).of(destination)
        return sent & self.side(Direction.INGRESS, destination).of(source)

    def side(self, direction: Direction, near: int) -> ByPeer:
        """The traffic that the policies of one end allow in a direction; all traffic where none isolates the end."""
        key = direction, near
        if key not in self._sides:
            if self._beside and self._has_policies_of(self._beside, direction, near):
                return self._beside.side(direction, near)
            self._sides[key] = self._side(direction, near)
        return self._sides[key]

    def _side(self, direction: Direction, near: int) -> ByPeer:
        rules = self._rules(direction, near)
        # Port names are those of the destination: for ingress, of this end itself.
        named = (facts for facts in rules if direction is Direction.INGRESS and facts.named)
        own = tuple(self.rules.ports_at(facts, near) for facts in named)
        key = direction, bool(self.rules.isolating(direction, near)), tuple(map(id, rules)), own
        if key not in self._alike:
            self._alike[key] = fold([*self._steps(direction, near, rules)], self.rules.everything)
        return self._alike[key]

    def _steps(self, direction: Direction, near: int, rules: Sequence[CompiledRule]) -> Iterator[FoldStep]:
        """The steps in order: the rules of the policies that isolate an end accept; then isolation denies."""
        # Accepting rules may come in any order. A rule for all peers is cheapest to fold while no peer is listed yet.
        for facts in sorted(rules, key=lambda each: each.peers is None):
            for peers, traffic in self._matched(facts, direction, near):
                yield FoldStep(Action.ACCEPT, peers, traffic)
        if self.rules.isolating(direction, near):
            yield FoldStep(Action.DENY, None, self.rules.everything)

    def _matched(
        self, facts: CompiledRule, direction: Direction, near: int
    ) -> Iterable[tuple[Collection[int] | None, int]]:
        """The peers and the traffic that a rule matches; peers that give a port name another number come apart."""
        if direction is Direction.INGRESS or not facts.named:
            return [(facts.peers, self.rules.ports_at(facts, near))]
        by_ports: dict[int, list[int]] = defaultdict(list)
        for far in self.rules.numbers if facts.peers is None else facts.peers:
            by_ports[self.rules.ports_at(facts, far)].append(far)
        return [(peers, traffic) for traffic, peers in by_ports.items()]

    def _rules(self, direction: Direction, near: int) -> list[CompiledRule]:
        isolating = self.rules.isolating(direction, near)
        return [facts for policy in isolating for facts in self.rules.facts(policy, direction)]

    def naming(self, direction: Direction, near: int, far: int) -> list[CompiledRule]:
        """The rules of one end that name another, whatever their ports are."""
        return [facts for facts in self._rules(direction, near) if facts.names(far)]

    def admitting(self, direction: Direction, source: int, destination: int) -> list[CompiledRule]:
        """The rules of one side that admit some of the traffic between two classes."""
        near, far = (source, destination) if direction is Direction.EGRESS else (destination, source)
        return [facts for facts in self.naming(direction, near, far) if self.rules.ports_at(facts, destination)]
