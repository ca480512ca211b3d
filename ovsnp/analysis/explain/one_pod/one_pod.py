"""The answer about one pod: the policies that isolate it, the peers that they admit, and the parties on both sides."""

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

import msgspec

from ovsnp.analysis.explain.lacking import peer_lacks
from ovsnp.analysis.explain.nearest import NearMiss, nearest_rules
from ovsnp.analysis.explain.needs import Label
from ovsnp.analysis.explain.query import Query
from ovsnp.analysis.reach.cells import Cell, ClassRelation, Reach
from ovsnp.analysis.reach.parties import Party, PartyKind
from ovsnp.analysis.wording.traffics import Names, Ports, names_of, traffics_of
from ovsnp.model.address import Address, family
from ovsnp.model.cluster import Cluster, Pod
from ovsnp.model.policy import Direction, NetworkPolicy
from ovsnp.oracle import ICMP, Admission, Endpoint, Exemption
from ovsnp.oracle.rulebook import CompiledRule

_SIDES = (Direction.EGRESS, Direction.INGRESS)

SHOWN = 5
"""The most near misses that are shown for a direction."""


class ReachedParty(msgspec.Struct, frozen=True):
    """Another party, and the allowed ports of each family between the pod and the party.

    ``exempt`` is the reason why policies do not apply, with ``wholly`` between all members. ``names`` are the names of
    the destination's ports.
    """

    party: Party
    ports: dict[int, Ports]
    exempt: Exemption | None
    wholly: bool
    names: Names


class PodRule(msgspec.Struct, frozen=True):
    """A rule of a policy that isolates the pod, and the parties that the rule admits; None: everyone."""

    admission: Admission
    parties: tuple[Party, ...] | None


class Near(msgspec.Struct, frozen=True):
    """A party with which no connection is allowed, and the rule that comes nearest to admitting one.

    ``side`` is the direction of the policy, which may be a policy of the other end.
    """

    party: Party
    side: Direction
    miss: NearMiss


class _Candidate(NamedTuple):
    """A rule that may come near, and the query to compare with the rule."""

    side: Direction
    query: Query
    policy: NetworkPolicy
    rule: int


class PodSide(msgspec.Struct, frozen=True):
    """One direction: the policies that isolate the pod, their rules, the reached parties, and the near misses.

    ``left_out`` is the number of near misses that are not in ``near``.
    """

    isolated_by: tuple[NetworkPolicy, ...]
    rules: tuple[PodRule, ...]
    met: tuple[ReachedParty, ...]
    near: tuple[Near, ...]
    left_out: int


class OnePod(msgspec.Struct, frozen=True):
    """The answer about one pod. ``parties`` are all other parties that share a family with the pod."""

    pod: Pod
    parties: tuple[Party, ...]
    egress: PodSide
    ingress: PodSide


def one_pod(
    cluster: Cluster | ClassRelation, pod: Pod, *, version: int | None = None, strict_nodes: bool = False
) -> OnePod:
    """The answer about a pod of the cluster; ``version`` (4 or 6) limits it to one address family.

    What all pods have in common may be given in place of the cluster.
    """
    asked = _Asked(cluster, pod, version, strict_nodes=strict_nodes)
    return OnePod(pod, asked.others, asked.side(Direction.EGRESS), asked.side(Direction.INGRESS))


class _Asked:
    """The pod as a party of its own among all others, which are grouped by workload."""

    def __init__(self, cluster: Cluster | ClassRelation, pod: Pod, version: int | None, *, strict_nodes: bool) -> None:
        self._reach = Reach(cluster, strict_nodes=strict_nodes, alone=frozenset((pod.key,)))
        self._cluster, self._strict_nodes = self._reach.classes.clusters[0].cluster, strict_nodes
        self._book = self._reach.relation.rules
        self._own = next(party for party in self._reach.parties if party.pods == (pod,))
        self._versions = [each for each in self._own.classes if version in (None, each)]
        self.others = tuple(each for each in self._reach.parties if self._is_other(each) and self._shared(each))

    def _is_other(self, party: Party) -> bool:
        """True if the party has pods other than this one; a template's own party has the workload's other pods."""
        return party is not self._own or not party.lone

    def _shared(self, party: Party) -> list[int]:
        return [version for version in self._versions if version in party.classes]

    def side(self, direction: Direction) -> PodSide:
        number = next(iter(self._own.classes.values()))
        isolating = self._book.isolating(direction, number)
        met = tuple(each for party in self.others if (each := self._met(direction, party)))
        known = {each.party.name for each in met}
        strangers = [party for party in self.others if party.name not in known and party.kind is PartyKind.POD]
        # All rules that come near are needed for the few parties that are shown; for the others one is enough.
        near = [party for party in strangers if any(True for _ in self._candidates(direction, party))]
        shown = tuple(islice((found for party in near if (found := self._near(direction, party))), SHOWN))
        rules = tuple(self._rule(facts) for policy in isolating for facts in self._book.facts(policy, direction))
        return PodSide(isolating, rules, met, shown, max(0, len(near) - SHOWN))

    def _pair(self, direction: Direction, party: Party) -> tuple[Party, Party]:
        """The source and the destination of a direction."""
        return (self._own, party) if direction is Direction.EGRESS else (party, self._own)

    def _met(self, direction: Direction, party: Party) -> ReachedParty | None:
        source, destination = self._pair(direction, party)
        cell = self._reach.cell(source, destination)
        if cell is None or not cell.allows:
            return None
        ports = {version: self._ports(cell, version) for version in self._shared(party)}
        if cell.exempt is None and not any(ports.values()):
            return None
        names = names_of(destination.pods[0]) if destination.pods else {}
        return ReachedParty(party, ports, cell.exempt, cell.wholly, names)

    def _ports(self, cell: Cell, version: int) -> Ports:
        return traffics_of(self._reach.classes, cell.ports[version]).ports

    def _rule(self, facts: CompiledRule) -> PodRule:
        if facts.peers is None:
            return PodRule(facts.admission, None)
        named = facts.peers
        found = (party for party in self.others if any(party.classes[each] in named for each in self._shared(party)))
        return PodRule(facts.admission, tuple(found))

    def _candidates(self, direction: Direction, party: Party) -> Iterator[_Candidate]:
        """The rules that come near: all but the port matches, or all but one label of the peer."""
        version = self._shared(party)[0]
        near, far = (each.classes[version] for each in self._pair(direction, party))
        query = Query(self._cluster, *self._ends(direction, party, version), ICMP, self._strict_nodes)
        sent, taken = (self._reach.relation.admitting(side, near, far) for side in _SIDES)
        if sent and taken:
            # Each side allows something, but not the same ports.
            query = msgspec.structs.replace(query, traffic=self._book.example(sent[0], far))
            for facts in taken:
                yield _Candidate(Direction.INGRESS, query, facts.admission.policy, facts.admission.rule)
            return
        for side, number, other in zip(_SIDES, (near, far), (far, near), strict=True):
            for policy in () if self._reach.relation.admitting(side, near, far) else self._book.isolating(side, number):
                for index, facts in enumerate(self._book.facts(policy, side)):
                    fitting = msgspec.structs.replace(query, traffic=self._book.example(facts, far))
                    some = fitting.traffic.port is not None
                    if facts.names(other) or (some and self._lacks_one_label(query, side, facts)):
                        yield _Candidate(side, fitting, policy, index)

    def _ends(self, direction: Direction, party: Party, version: int) -> tuple[Endpoint, Endpoint]:
        def end(each: Party) -> Endpoint:
            return self._reach.classes.clusters[0].who(_address(each.pods[0], version))

        source, destination = self._pair(direction, party)
        return end(source), end(destination)

    def _lacks_one_label(self, query: Query, side: Direction, facts: CompiledRule) -> bool:
        policy, (_, end) = facts.admission.policy, query.ends(side)
        return any(
            len(needs) == 1 and isinstance(needs[0], Label)
            for peer in policy.rules(side)[facts.admission.rule].peers
            for needs in (peer_lacks(self._cluster, policy.namespace, peer, end),)
        )

    def _near(self, direction: Direction, party: Party) -> Near | None:
        """The nearest of the rules; None where meeting the needs would not help."""
        candidates = [*self._candidates(direction, party)]
        for side in dict.fromkeys(each.side for each in candidates):
            rules = ((each.query, each.policy, each.rule) for each in candidates if each.side is side)
            for miss in nearest_rules(rules, side)[:1]:
                return Near(party, side, miss)
        return None


def _address(pod: Pod, version: int) -> Address:
    return next(address for address in pod.addresses if family(address) == version)
