"""The ports that one end may open to another: the allowed ranges, the rules that allow them, and the denied ranges."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from ovsnp.analysis.explain.nearest import NearMiss, nearest_rules
from ovsnp.analysis.explain.query import Query
from ovsnp.analysis.explain.reasons import Admitting, Nobody, Outcome
from ovsnp.analysis.naming.ends import ClusterIPEnd, Destination
from ovsnp.analysis.reach.cells import Reach
from ovsnp.analysis.reach.parties import By
from ovsnp.analysis.wording.traffics import Names, Ports, names_of, traffics_of
from ovsnp.model.address import family
from ovsnp.model.cluster import Cluster, Pod
from ovsnp.model.policy import Direction, NetworkPolicy
from ovsnp.oracle import ICMP, Endpoint, Exemption, PodEnd, selects
from ovsnp.oracle.judge import exemption
from ovsnp.oracle.multicast import is_group_address
from ovsnp.oracle.peers import item_matches
from ovsnp.oracle.rulebook import CompiledRule


class Ranges(msgspec.Struct, frozen=True):
    """All ports of all protocols, in two parts: the allowed ports and the denied ports."""

    allowed: Ports
    denied: Ports

    @property
    def outcome(self) -> Outcome:
        """Mixed where some ports are allowed and some are denied."""
        if not self.denied:
            return Outcome.ALLOWED
        return Outcome.MIXED if self.allowed else Outcome.DENIED


class OpenRule(msgspec.Struct, frozen=True):
    """A rule that names the far end, and the ports that the rule allows there."""

    admitting: Admitting
    ports: Ports


class OpenSide(msgspec.Struct, frozen=True):
    """One side: the pod (None: a node or an outsider, which have no policies), the allowed ports, and the reasons.

    ``nearest`` are the rules that come nearest to admitting the far end, where this side allows no port.
    """

    pod: Pod | None
    ranges: Ranges
    isolated_by: tuple[NetworkPolicy, ...] = ()
    rules: tuple[OpenRule, ...] = ()
    nearest: tuple[NearMiss, ...] = ()


class Opening(msgspec.Struct, frozen=True):
    """The ports that one end may open to another of the same family.

    With ``exempt`` policies do not apply. ``undelivered``: nothing is delivered to a multicast or broadcast address.
    ``nobody`` is the reason why nothing answers at a cluster IP; then policies do not apply either. ``names`` are the
    names of the destination's ports. ``alike`` is the number of address pairs with this answer.
    """

    source: Endpoint
    destination: Destination
    ranges: Ranges
    egress: OpenSide
    ingress: OpenSide
    exempt: Exemption | None = None
    undelivered: bool = False
    nobody: Nobody | None = None
    names: Names = {}
    alike: int = 1


def openings(
    cluster: Cluster, pairs: Sequence[tuple[Endpoint, Destination]], *, strict_nodes: bool = False
) -> list[Opening]:
    """The ports that the first end of each pair may open to the second; both are of one family, none is a Service.

    Pairs that policies do not tell apart are one opening, that of the first pair. At a cluster IP that no Service has,
    nothing answers.
    """
    concerned = _concerned(cluster, (end for pair in pairs for end in pair))
    between = _Between(cluster, concerned, strict_nodes=strict_nodes)
    alike: dict[object, list[tuple[Endpoint, Destination]]] = {}
    for pair in pairs:
        alike.setdefault(between.key(*pair), []).append(pair)
    return [msgspec.structs.replace(between.between(*found[0]), alike=len(found)) for found in alike.values()]


def openings_differ(found: Sequence[Opening]) -> bool:
    """True if two pairs of one family may open different ports."""
    firsts = {family(each.source.address): each.ranges for each in reversed(found)}
    return any(each.ranges != firsts[family(each.source.address)] for each in found)


def _concerned(cluster: Cluster, ends: Iterable[Destination]) -> Cluster:
    """The part of a cluster that decides between these ends: their pods, and the policies that select these pods."""
    pods = {end.pod.key: end.pod for end in ends if isinstance(end, PodEnd)}
    policies = tuple(
        policy
        for policy in cluster.policies
        if any(pod.namespace == policy.namespace and selects(policy.pod_selector, pod.labels) for pod in pods.values())
    )
    return msgspec.structs.replace(cluster, pods=tuple(pods.values()), policies=policies)


class _Between:
    """The openings between ends, computed from the concerned part of a cluster."""

    def __init__(self, cluster: Cluster, concerned: Cluster, *, strict_nodes: bool) -> None:
        self._cluster, self._strict_nodes = cluster, strict_nodes
        self._reach = Reach(concerned, By.POD, strict_nodes=strict_nodes)
        self._book = self._reach.relation.rules

    def key(self, source: Endpoint, destination: Destination) -> object:
        """A key that is equal for pairs with the same answer."""
        if isinstance(destination, ClusterIPEnd):
            return source.address, destination.address
        exempt = exemption(source, destination, strict_nodes=self._strict_nodes)
        undelivered = is_group_address(self._cluster, destination)
        return *self._numbers(source, destination), exempt, undelivered

    def between(self, source: Endpoint, destination: Destination) -> Opening:
        """The ports that the source may open to the destination."""
        if isinstance(destination, ClusterIPEnd):
            return self._closed(source, destination)
        return self._opening(source, destination)

    def _opening(self, source: Endpoint, destination: Endpoint) -> Opening:
        query = Query(self._cluster, source, destination, ICMP, self._strict_nodes)
        exempt = exemption(source, destination, strict_nodes=self._strict_nodes)
        egress, ingress = (self._side(query, direction, exempt) for direction in (Direction.EGRESS, Direction.INGRESS))
        undelivered = is_group_address(self._cluster, destination)
        bits = (
            0
            if undelivered
            else self._book.everything
            if exempt
            else self._reach.relation.allowed(*self._numbers(source, destination))
        )
        names = names_of(destination.pod) if isinstance(destination, PodEnd) else {}
        return Opening(source, destination, self._ranges(bits), egress, ingress, exempt, undelivered, names=names)

    def _closed(self, source: Endpoint, destination: ClusterIPEnd) -> Opening:
        """The opening to a cluster IP that no Service has: everything is denied, and no side has policies."""
        side = OpenSide(None, self._ranges(self._book.everything))
        return Opening(source, destination, self._ranges(0), side, side, nobody=Nobody.NO_SERVICE)

    def _numbers(self, source: Endpoint, destination: Endpoint) -> tuple[int, int]:
        of = self._reach.classes.of
        return of(source.address).number, of(destination.address).number

    def _ranges(self, bits: int) -> Ranges:
        classes = self._reach.classes
        return Ranges(traffics_of(classes, bits).ports, traffics_of(classes, self._book.everything & ~bits).ports)

    def _side(self, query: Query, direction: Direction, exempt: Exemption | None) -> OpenSide:
        near, far = query.ends(direction)
        if not isinstance(near, PodEnd):
            return OpenSide(None, self._ranges(self._book.everything))
        source, destination = self._numbers(query.source, query.destination)
        own, other = (source, destination) if direction is Direction.EGRESS else (destination, source)
        isolating = self._book.isolating(direction, own)
        facts = self._reach.relation.admitting(direction, source, destination)
        bits = self._book.everything if exempt else self._reach.relation.side(direction, own).of(other)
        return OpenSide(
            near.pod,
            self._ranges(bits),
            isolating,
            tuple(self._rule(each, far, destination) for each in facts),
            () if bits else nearest_rules(self._held_against(query, direction, isolating), direction),
        )

    def _rule(self, facts: CompiledRule, far: Endpoint, destination: int) -> OpenRule:
        policy, direction, index = facts.admission.policy, facts.admission.direction, facts.admission.rule
        rule, namespace = policy.rules(direction)[index], policy.namespace
        peers = (item for item, peer in enumerate(rule.peers) if item_matches(self._cluster, namespace, peer, far))
        ports = (
            item
            for item, entry in enumerate(rule.ports)
            if not isinstance(entry.port, str) or self._book.entry_at(entry, destination)
        )
        allowed = self._ranges(self._book.ports_at(facts, destination)).allowed
        return OpenRule(Admitting(facts.admission, tuple(peers), tuple(ports)), allowed)

    def _held_against(
        self, query: Query, direction: Direction, isolating: Sequence[NetworkPolicy]
    ) -> Iterator[tuple[Query, NetworkPolicy, int]]:
        """The rules with a query for traffic that the rule allows at the destination; for `ICMP` if it allows none."""
        _, destination = self._numbers(query.source, query.destination)
        for policy in isolating:
            for index, facts in enumerate(self._book.facts(policy, direction)):
                fitting = msgspec.structs.replace(query, traffic=self._book.example(facts, destination))
                yield fitting, policy, index
