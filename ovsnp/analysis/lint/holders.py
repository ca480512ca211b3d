"""Who holds all of a peer, a port or a rule, among many."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence

from ovsnp.analysis.lint.covers import peer_within, port_range, possible, satisfiable, selector_within
from ovsnp.analysis.lint.demands import (
    Demands,
    Index,
    Token,
    by_peer,
    by_port,
    by_selector,
    of_peer,
    of_port,
    of_selector,
)
from ovsnp.analysis.lint.entries import RuleEntry
from ovsnp.model.cluster import Cluster
from ovsnp.model.policy import Direction, Peer, Rule
from ovsnp.model.ports import PortEntry, Protocol
from ovsnp.model.selector import Selector


class PeerHolders:
    """The peers of a rule in policies of a namespace; of equal ones the first counts."""

    def __init__(self, cluster: Cluster, namespace: str, peers: Sequence[Peer]) -> None:
        self._cluster, self._namespace = cluster, namespace
        self._own_labels: Mapping[str, str] = cluster.namespaces[namespace].labels
        self._places: dict[Peer, int] = {}
        for place, peer in enumerate(peers):
            self._places.setdefault(peer, place)
        self._distinct = [*self._places]
        self._index = Index(
            [[[of_peer(peer)]] for peer in self._distinct],
            (token for peer in self._distinct if possible(peer) for token in by_peer(peer, self._own_labels)),
        )

    def of(self, narrow: Peer) -> Iterator[int]:
        """The places of those that hold all of a peer that names someone."""
        for number in self._index.candidates(by_peer(narrow, self._own_labels)):
            wide = self._distinct[number]
            if peer_within(self._cluster, self._namespace, narrow, wide):
                yield self._places[wide]


class PortHolders:
    """The entries of a rule's ``ports``; of equal ones the first counts."""

    def __init__(self, entries: Sequence[PortEntry]) -> None:
        self._names: dict[PortEntry, int] = {}
        ranges: dict[Protocol, list[tuple[int, int, int]]] = {}
        for place, entry in enumerate(entries):
            first, last = port_range(entry)
            if isinstance(entry.port, str):
                self._names.setdefault(entry, place)
            else:
                ranges.setdefault(entry.protocol, []).append((first, -last, place))
        self._widest = {protocol: _widest(found) for protocol, found in ranges.items()}

    def of(self, narrow: PortEntry) -> int | None:
        """The place of the widest one that holds all of an entry."""
        first, last = port_range(narrow)
        widest = self._widest.get(narrow.protocol, ())
        before = bisect_right(widest, first, key=lambda each: each[0])
        if before and widest[before - 1][1] >= last:
            return widest[before - 1][2]
        return self._names.get(narrow)


def _widest(ranges: list[tuple[int, int, int]]) -> Sequence[tuple[int, int, int]]:
    """The ranges that are inside no other, as first number, last number and place."""
    found: list[tuple[int, int, int]] = []
    for first, negative, place in sorted(ranges):
        if not found or -negative > found[-1][1]:
            found.append((first, -negative, place))
    return found


def admits_someone(rule: RuleEntry) -> bool:
    """Whether a rule could admit anyone to, or from, a pod that there can be."""
    return satisfiable(rule.policy.pod_selector) and (not rule.rule.peers or bool(_some(rule)))


class RuleHolders:
    """Rules of a namespace's policies that admit someone, in order."""

    def __init__(self, cluster: Cluster, rules: Sequence[RuleEntry]) -> None:
        self._cluster = cluster
        self._rules: list[RuleEntry] = []
        said: set[tuple[Direction, Selector, Rule]] = set()
        for each in rules:
            what = (each.direction, each.policy.pod_selector, each.rule)
            if what not in said:
                said.add(what)
                self._rules.append(each)
        offers = (token for each in rules for token in self._by_rule(each))
        self._index = Index([_of_rule(each) for each in self._rules], offers)
        self._parts: dict[int, _Parts] = {}

    def of(self, narrow: RuleEntry) -> RuleEntry | None:
        """The first rule that admits all that this one does, unless the two say the same and this one is the first."""
        for wide in self._around(narrow):
            if wide.order < narrow.order or not self._within(wide, narrow):
                return wide
        return None

    def hold(self, narrow: RuleEntry) -> bool:
        """Whether a rule admits all that this one does, which is none of them."""
        return any(True for _ in self._around(narrow))

    def _around(self, narrow: RuleEntry) -> Iterator[RuleEntry]:
        for place in self._index.candidates(self._by_rule(narrow)):
            wide = self._rules[place]
            if wide is not narrow and self._within(narrow, wide):
                yield wide

    def _within(self, narrow: RuleEntry, wide: RuleEntry) -> bool:
        return (
            narrow.direction is wide.direction
            and selector_within(narrow.policy.pod_selector, wide.policy.pod_selector)
            and self._of(wide).hold(narrow)
        )

    def _of(self, rule: RuleEntry) -> "_Parts":
        if id(rule) not in self._parts:
            self._parts[id(rule)] = _Parts(self._cluster, rule)
        return self._parts[id(rule)]

    def _by_rule(self, rule: RuleEntry) -> Iterator[Token]:
        """What a rule offers: of its peers and of its ports one each, as all of them have to be held."""
        yield (rule.direction,)
        yield from by_selector(rule.policy.pod_selector, "selected")
        for peer in _some(rule)[:1]:
            yield from by_peer(peer, self._cluster.namespaces[rule.policy.namespace].labels)
        for entry in rule.rule.ports[:1]:
            yield from by_port(entry)


class _Parts:
    """The peers and the ports of a rule; none are everyone, and all ports of every protocol."""

    def __init__(self, cluster: Cluster, rule: RuleEntry) -> None:
        self._peers = PeerHolders(cluster, rule.policy.namespace, rule.rule.peers) if rule.rule.peers else None
        self._ports = PortHolders(rule.rule.ports) if rule.rule.ports else None

    def hold(self, narrow: RuleEntry) -> bool:
        """Whether all peers and ports of another rule are among these, each of them in one."""
        return self._hold_ports(narrow.rule.ports) and self._hold_peers(narrow)

    def _hold_ports(self, entries: Sequence[PortEntry]) -> bool:
        return self._ports is None or (bool(entries) and all(self._ports.of(each) is not None for each in entries))

    def _hold_peers(self, narrow: RuleEntry) -> bool:
        if self._peers is None or not narrow.rule.peers:
            return self._peers is None
        return all(any(True for _ in self._peers.of(each)) for each in _some(narrow))


def _some(rule: RuleEntry) -> list[Peer]:
    """The peers of a rule that could name someone."""
    return [peer for peer in rule.rule.peers if possible(peer)]


def _of_rule(rule: RuleEntry) -> list[list[Demands]]:
    """What a rule demands of one that it holds: to be in its direction, for its pods, from its peers, to its ports."""
    pods = [frozenset({(rule.direction,)}), *of_selector(rule.policy.pod_selector, "selected")]
    clauses: list[list[Demands]] = [[pods]]
    if rule.rule.peers:
        clauses.append([of_peer(peer) for peer in _some(rule)])
    if rule.rule.ports:
        clauses.append([of_port(entry) for entry in rule.rule.ports])
    return clauses
