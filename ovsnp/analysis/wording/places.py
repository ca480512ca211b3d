"""The places of the policies' fields in the files."""

from typing import Protocol

import msgspec

from ovsnp.errors import Place, Span
from ovsnp.model.policy import Direction, NetworkPolicy
from ovsnp.yaml_reader.location import Locator
from ovsnp.yaml_reader.paths import Path, format_path

_PEERS = {Direction.INGRESS: "from", Direction.EGRESS: "to"}


class PolicyField(msgspec.Struct, frozen=True):
    """A field of a policy's object: the path (empty: the object), and the line in the file (0: not known)."""

    path: str
    span: Span


class SpanFinder(Protocol):
    """Finds the line of a field of an object."""

    def span(self, place: Place, path: Path) -> Span:
        """The line of the field at ``path`` of the object at ``place``."""


class Places:
    """Finds the lines of many fields, reading each file once.

    ``locator`` replaces the files, for objects that are in none.
    """

    def __init__(self, locator: SpanFinder | None = None) -> None:
        self._locator: SpanFinder = locator or Locator()
        self._known: dict[tuple[str, Path], PolicyField] = {}

    def policy(self, policy: NetworkPolicy) -> PolicyField:
        """The beginning of the object."""
        return self._field(policy, ())

    def rule(self, policy: NetworkPolicy, direction: Direction, rule: int) -> PolicyField:
        """The beginning of an item of ``ingress`` or ``egress``."""
        return self._field(policy, _rule(direction, rule))

    def peer(self, policy: NetworkPolicy, direction: Direction, rule: int, item: int) -> PolicyField:
        """The beginning of an item of the rule's ``from`` or ``to``."""
        return self._field(policy, peer_path(direction, rule, item))

    def port(self, policy: NetworkPolicy, direction: Direction, rule: int, item: int) -> PolicyField:
        """The beginning of an item of the rule's ``ports``."""
        return self._field(policy, (*_rule(direction, rule), "ports", item))

    def _field(self, policy: NetworkPolicy, path: Path) -> PolicyField:
        if (policy.key, path) not in self._known:
            self._known[policy.key, path] = PolicyField(format_path(path), self._locator.span(policy.place, path))
        return self._known[policy.key, path]


def peer_path(direction: Direction, rule: int, item: int) -> Path:
    """The path in the object to an item of a rule's ``from`` or ``to``."""
    return (*_rule(direction, rule), _PEERS[direction], item)


def _rule(direction: Direction, rule: int) -> Path:
    return ("spec", direction.section, rule)
