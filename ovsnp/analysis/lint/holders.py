"""Finds, among many peers or rules, those that hold all of a peer or a rule."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ovsnp.analysis.lint.covers import peer_within, possible, satisfiable, selector_within
from ovsnp.analysis.lint.demands import (
    Branch,
    Demands,
    Index,
    Token,
    by_peer,
    by_selector,
    in_order,
    of_peer,
    of_selector,
)
from ovsnp.analysis.lint.entries import RuleEntry
from ovsnp.analysis.lint.port_holders import PortHolders, PortsInOrder
from ovsnp.model.cluster import Cluster
from ovsnp.model.policy import Direction, Peer, Rule
from ovsnp.model.ports import PortEntry
from ovsnp.model.selector import Selector


class PeerHolders:
    """The peers of a rule in a policy of a namespace; of equal peers the first counts."""

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
        """The places of the peers that hold all of ``narrow``, a peer that can name someone."""
        for number in self._index.candidates(by_peer(narrow, self._own_labels)):
            wide = self._distinct[number]
            if peer_within(self._cluster, self._namespace, narrow, wide):
                yield self._places[wide]


def admits_someone(rule: RuleEntry) -> bool:
    """True if a rule can admit anyone to, or from, a pod that there can be."""
    return satisfiable(rule.policy.pod_selector) and (not rule.rule.peers or bool(_some(rule)))


class RuleHolders:
    """Rules of a namespace's policies that can admit someone, in order; of equal rules the first counts."""

    def __init__(self, cluster: Cluster, rules: Sequence[RuleEntry]) -> None:
        self._cluster = cluster
        self._rules: list[RuleEntry] = []
        said: set[tuple[Direction, Selector, Rule]] = set()
        for each in rules:
            what = (each.direction, each.policy.pod_selector, each.rule)
            if what not in said:
                said.add(what)
                self._rules.append(each)
        self._shared = Counter(peer for each in rules for peer in each.rule.peers)
        offers = (token for each in rules for token in self._by_rule(each))
        self._index = Index([_of_rule(each) for each in self._rules], offers)
        self._ports: dict[Branch, PortsInOrder] = {}
        self._parts: dict[int, _Parts] = {}

    def of(self, narrow: RuleEntry) -> RuleEntry | None:
        """The first other rule that admits all that this one does; if both admit the same, only an earlier one."""
        for wide in self._around(narrow):
            if wide.order < narrow.order or not self._within(wide, narrow):
                return wide
        return None

    def admitted(self, rule: RuleEntry, entries: Iterable[PortEntry]) -> set[PortEntry]:
        """The entries that a rule admits for all pods and peers of ``rule``, whose own ports do not matter."""
        ends = [*self._ends(rule)]

        def is_admitted(entry: PortEntry) -> bool:
            places = (place for end in ends for place in end.hold((entry,)))
            return any(self._within(_with_port(rule, entry), self._rules[place]) for place in places)

        return {entry for entry in entries if is_admitted(entry)}

    def _around(self, narrow: RuleEntry) -> Iterator[RuleEntry]:
        for place in in_order(end.hold(narrow.rule.ports) for end in self._ends(narrow)):
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

    def _ends(self, narrow: RuleEntry) -> Iterator[PortsInOrder]:
        """The rules that may hold all of a rule except its ports."""
        return map(self._ports_of, self._index.ends(self._by_rule(narrow)))

    def _ports_of(self, branch: Branch) -> PortsInOrder:
        if branch not in self._ports:
            self._ports[branch] = PortsInOrder([(place, self._rules[place].rule.ports) for place in branch.places])
        return self._ports[branch]

    def _by_rule(self, rule: RuleEntry) -> Iterator[Token]:
        """The offers of a rule; of its peers only the one that the fewest rules have, as a holder holds all peers."""
        yield (rule.direction,)
        yield from by_selector(rule.policy.pod_selector, "selected")
        if peers := _some(rule):
            peer = min(peers, key=lambda each: self._shared[each])
            yield from by_peer(peer, self._cluster.namespaces[rule.policy.namespace].labels)


class _Parts:
    """The peers and the ports of a rule; no peers mean everyone, no ports mean all ports of every protocol."""

    def __init__(self, cluster: Cluster, rule: RuleEntry) -> None:
        self._peers = PeerHolders(cluster, rule.policy.namespace, rule.rule.peers) if rule.rule.peers else None
        self._ports = PortHolders(rule.rule.ports) if rule.rule.ports else None

    def hold(self, narrow: RuleEntry) -> bool:
        """True if each peer and each port of another rule is held by one of these."""
        return self._hold_ports(narrow.rule.ports) and self._hold_peers(narrow)

    def _hold_ports(self, entries: Sequence[PortEntry]) -> bool:
        return self._ports is None or (bool(entries) and all(self._ports.of(each) is not None for each in entries))

    def _hold_peers(self, narrow: RuleEntry) -> bool:
        if self._peers is None or not narrow.rule.peers:
            return self._peers is None
        return all(any(True for _ in self._peers.of(each)) for each in _some(narrow))


def _with_port(rule: RuleEntry, entry: PortEntry) -> RuleEntry:
    return RuleEntry(rule.policy, rule.direction, rule.position, Rule(rule.rule.peers, (entry,)))


def _some(rule: RuleEntry) -> list[Peer]:
    """The peers of a rule that can name someone."""
    return [peer for peer in rule.rule.peers if possible(peer)]


def _of_rule(rule: RuleEntry) -> list[list[Demands]]:
    """The demands of a rule on the rules that it holds: on their direction, pods and peers, but not on their ports."""
    pods = [frozenset({(rule.direction,)}), *of_selector(rule.policy.pod_selector, "selected")]
    return [[pods], [of_peer(peer) for peer in _some(rule)]] if rule.rule.peers else [[pods]]
