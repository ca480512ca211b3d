"""Finds the rules that come nearest to admitting a connection, and the changes that would make them admit it."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from ovsnp.analysis.explain.lacking import peer_lacks, port_lacks
from ovsnp.analysis.explain.needs import Change, Need, cost
from ovsnp.analysis.explain.query import Query, after
from ovsnp.analysis.explain.service_needs import behind_service
from ovsnp.model.policy import Direction, NetworkPolicy, Rule
from ovsnp.model.ports import PortEntry
from ovsnp.oracle import Verdict
from ovsnp.oracle.peers import peer_matches
from ovsnp.oracle.traffic import port_matches

SHOWN = 3


class NearMiss(msgspec.Struct, frozen=True):
    """A rule that does not admit a connection, and the items of the rule that come nearest.

    ``peer`` and ``port`` are indices into the rule's peers and ports; None: that clause matches. ``needs`` is what the
    connection lacks. ``then`` says whether the whole connection is allowed once all needs are met; None where some need
    cannot be met.
    """

    policy: NetworkPolicy
    rule: int
    peer: int | None
    port: int | None
    needs: tuple[Need, ...]
    then: bool | None = None


class _Lack(NamedTuple):
    """One item of a clause (None: the clause matches), and what the connection lacks for it."""

    item: int | None
    needs: tuple[Need, ...]

    @property
    def cost(self) -> int:
        return sum(map(cost, self.needs))


def nearest(query: Query, direction: Direction, isolating: Sequence[NetworkPolicy]) -> tuple[NearMiss, ...]:
    """At most three rules of these policies, the nearest first.

    Where some rules match the peer or the port, rules that match neither are left out. A rule whose needs can all be
    met is in the result only if, by the oracle, this side then allows the connection.
    """
    rules = ((query, policy, index) for policy in isolating for index, _ in enumerate(policy.rules(direction)))
    return nearest_rules(rules, direction)


def nearest_rules(rules: Iterable[tuple[Query, NetworkPolicy, int]], direction: Direction) -> tuple[NearMiss, ...]:
    """Like `nearest`, for single rules: the query to compare with the rule, the policy, and the rule's index."""
    return _picked(((query, _miss(query, direction, policy, index)) for query, policy, index in rules), direction)


def _picked(candidates: Iterable[tuple[Query, NearMiss]], direction: Direction) -> tuple[NearMiss, ...]:
    found: list[NearMiss] = []
    for query, miss in sorted(candidates, key=lambda each: _distance(each[1])):
        if len(found) == SHOWN or (found and _clauses(miss) > _clauses(found[0])):
            break
        verdict = _supposed(query, miss.needs)
        if verdict is None:
            found.append(miss)
        elif (verdict.egress if direction is Direction.EGRESS else verdict.ingress).allowed:
            found.append(msgspec.structs.replace(miss, then=verdict.allowed))
    return tuple(found)


def _miss(query: Query, direction: Direction, policy: NetworkPolicy, index: int) -> NearMiss:
    rule = policy.rules(direction)[index]
    peer, port = _nearest_peer(query, direction, policy.namespace, rule), _nearest_port(query, direction, policy, index)
    return NearMiss(policy, index, peer.item, port.item, (*peer.needs, *port.needs))


def _clauses(miss: NearMiss) -> int:
    """The number of the rule's two clauses that do not match."""
    return (miss.peer is not None) + (miss.port is not None)


def _distance(miss: NearMiss) -> tuple[int, int, str, int]:
    return _clauses(miss), sum(map(cost, miss.needs)), miss.policy.key, miss.rule


def _nearest_peer(query: Query, direction: Direction, namespace: str, rule: Rule) -> _Lack:
    _, far = query.ends(direction)
    if peer_matches(query.cluster, namespace, rule.peers, far):
        return _Lack(None, ())
    lacks = (_Lack(item, peer_lacks(query.cluster, namespace, peer, far)) for item, peer in enumerate(rule.peers))
    return min(lacks, key=lambda lack: lack.cost)


def _nearest_port(query: Query, direction: Direction, policy: NetworkPolicy, index: int) -> _Lack:
    ports = policy.rules(direction)[index].ports
    if port_matches(ports, query.traffic, query.destination):
        return _Lack(None, ())

    def needs(entry: PortEntry) -> tuple[Need, ...]:
        found = port_lacks(entry, query.traffic, query.destination)
        return tuple(behind_service(query, need, policy, direction, index) for need in found)

    return min((_Lack(item, needs(entry)) for item, entry in enumerate(ports)), key=lambda lack: lack.cost)


def _supposed(query: Query, needs: Sequence[Need]) -> Verdict | None:
    """The oracle's answer once all needs are met; None where some need cannot be met."""
    changes = [need for need in needs if isinstance(need, Change)]
    return after(query, changes).verdict() if len(changes) == len(needs) else None
