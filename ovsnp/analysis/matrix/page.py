"""The data of the page: the oracle's answers by class and rule, from which the page computes a cell when it shows it.

All cells of a large cluster would be many millions; the rules' answers grow with the policies alone. The page unites
the rules of a side and intersects the two sides, as `Relation.allowed` does. Rules, parties and classes are lists
without keys, since there are many.
"""

from collections.abc import Hashable, Iterable
from typing import Any, Generic, TypeVar

from ovsnp.analysis.matrix.view import View
from ovsnp.analysis.reach.parties import Party, PartyKind
from ovsnp.analysis.wording.places import Places
from ovsnp.analysis.wording.rules import peer_words_in, port_words
from ovsnp.errors import Span
from ovsnp.model.address import FAMILIES
from ovsnp.model.policy import Direction, NetworkPolicy
from ovsnp.model.ports import PortEntry
from ovsnp.oracle.rulebook import CompiledRule

_DIRECTIONS = (Direction.EGRESS, Direction.INGRESS)
Value = TypeVar("Value", bound=Hashable)


class _Kept(Generic[Value]):
    """Stores every value once; other data refer to a value by its index."""

    def __init__(self) -> None:
        self.indexes: dict[Value, int] = {}

    def index(self, value: Value) -> int:
        return self.indexes.setdefault(value, len(self.indexes))


def page_data(view: View, places: Places) -> dict[str, Any]:
    """The data of the page, as the page's script reads them."""
    return _PageData(view, places).whole()


class _PageData:
    def __init__(self, view: View, places: Places) -> None:
        self._view, self._places = view, places
        self._book = view.reach.relation.rules
        self._used: frozenset[int] = frozenset()
        self._policies: _Kept[str] = _Kept()
        self._by_key: dict[str, NetworkPolicy] = {}
        self._isolation: _Kept[tuple[int, ...]] = _Kept()
        self._sets: _Kept[frozenset[int]] = _Kept()
        self._entries: _Kept[PortEntry] = _Kept()
        self._nodes: _Kept[str] = _Kept()
        self._named_ports: _Kept[tuple[tuple[str, str, int], ...]] = _Kept()
        self._files: _Kept[str] = _Kept()

    def whole(self) -> dict[str, Any]:
        """All data; the stored values come after the data that refer to them."""
        view = self._view
        chosen = {party.name for party in (*view.sources, *view.destinations)}
        shown = [party for party in view.reach.parties if party.name in chosen]
        place = {party.name: index for index, party in enumerate(shown)}
        self._used = frozenset(number for party in shown for number in party.classes.values())
        classes = {number: self._isolated(number) for number in sorted(self._used)}
        policies = [self._policy(self._by_key[key]) for key in self._policies.indexes]
        named = {number: self._named(number) for number in classes}
        return {
            "by": view.reach.by.value,
            "strict": view.reach.strict_nodes,
            "port": view.asked.written if view.asked else "",
            "sources": [place[party.name] for party in view.sources],
            "destinations": [place[party.name] for party in view.destinations],
            "traffic": [
                [each.protocol.lower() if each.protocol else "", [list(run) for run in each.ranges]]
                for each in view.reach.classes.traffic
            ],
            "parties": [self._party(party) for party in shown],
            "classes": {number: [*isolated, named[number]] for number, isolated in classes.items()},
            "policies": policies,
            "isolation": list(self._isolation.indexes),
            "sets": [_runs(numbers) for numbers in self._sets.indexes],
            "ports": list(self._named_ports.indexes),
            "files": list(self._files.indexes),
        }

    def _isolated(self, number: int) -> list[int]:
        """For each direction, the index of the set of policies that isolate a class; -1 where there are none."""
        found = []
        for direction in _DIRECTIONS:
            isolating = self._book.isolating(direction, number)
            self._by_key.update((policy.key, policy) for policy in isolating)
            indexes = tuple(self._policies.index(policy.key) for policy in isolating)
            found.append(self._isolation.index(indexes) if indexes else -1)
        return found

    def _policy(self, policy: NetworkPolicy) -> list[Any]:
        rules = [
            [side, facts.admission.rule, *self._rule(facts)]
            for side, direction in enumerate(_DIRECTIONS)
            for facts in self._book.facts(policy, direction)
        ]
        return [policy.key, *self._place(self._places.policy(policy).span), rules]

    def _rule(self, facts: CompiledRule) -> list[Any]:
        """Line, peers (-1: everyone), ports as bits in hexadecimal, named ports, and peers and ports in words."""
        policy, direction, index = facts.admission.policy, facts.admission.direction, facts.admission.rule
        _, line = self._place(self._places.rule(policy, direction, index).span)
        peers = -1 if facts.peers is None else self._sets.index(facts.peers & self._used)
        names = [self._entries.index(entry) for entry in facts.named]
        rule = policy.rules(direction)[index]
        says = [
            ", ".join(peer_words_in(policy.namespace, peer) for peer in rule.peers),
            ", ".join(map(port_words, rule.ports)),
        ]
        return [line, peers, f"{facts.ports:x}", names, *says]

    def _place(self, span: Span) -> tuple[int, int]:
        return self._files.index(span.file), span.line

    def _named(self, number: int) -> dict[int, str]:
        """The ports that each named port means at a class, as bits in hexadecimal; without those that mean none."""
        found = {}
        for entry, index in self._entries.indexes.items():
            if bits := self._book.entry_at(entry, number):
                found[index] = f"{bits:x}"
        return found

    def _party(self, party: Party) -> list[Any]:
        """Name, kind, classes (IPv4, IPv6; -1: none), pods, nodes, addresses, and the named ports of the pods."""
        kind = list(PartyKind).index(party.kind)
        classes = [party.classes.get(version, -1) for version in FAMILIES]
        named = {(port.name, port.protocol.lower(), port.number) for pod in party.pods[:1] for port in pod.ports}
        pods = [pod.name for pod in party.pods]
        nodes = [self._nodes.index(name) for name in sorted(party.nodes)] if self._view.reach.strict_nodes else []
        return [
            party.name,
            kind,
            classes,
            pods,
            nodes,
            list(party.addresses),
            self._named_ports.index(tuple(sorted(named))),
        ]


def _runs(numbers: Iterable[int]) -> list[int]:
    """A set of numbers as first, count, first, count, ..."""
    found: list[int] = []
    for number in sorted(numbers):
        if found and found[-2] + found[-1] == number:
            found[-1] += 1
        else:
            found += [number, 1]
    return found
