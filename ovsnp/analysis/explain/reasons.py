"""The reasons why a connection is allowed or denied: the oracle's verdict, the matching and the nearest rules."""

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from ovsnp.analysis.explain.nearest import NearMiss, nearest
from ovsnp.analysis.explain.query import Query
from ovsnp.analysis.naming.ends import ClusterIPEnd
from ovsnp.analysis.naming.questions import Connection
from ovsnp.model.cluster import Cluster, Pod
from ovsnp.model.policy import Direction
from ovsnp.oracle import Admission, OutsideEnd, PodEnd, Side, Traffic, Verdict, judge_service, service_at, who
from ovsnp.oracle.peers import item_matches, peer_matches
from ovsnp.oracle.terms import Terms
from ovsnp.oracle.traffic import entry_matches, port_matches


class Outcome(StrEnum):
    """The verdict on a connection; mixed where it depends on the pod, the backend, the family or the port."""

    ALLOWED = "allowed"
    DENIED = "denied"
    MIXED = "mixed"


class Nobody(StrEnum):
    """The reason why nothing answers at a cluster IP and port."""

    NO_SERVICE = "no-service"
    NO_PORT = "no-port"
    NO_ENDPOINT = "no-endpoint"


class Admitting(msgspec.Struct, frozen=True):
    """A rule that admits, and the indices of the matching peers and ports; empty where the rule has none: all match."""

    admission: Admission
    peers: tuple[int, ...]
    ports: tuple[int, ...]


class Reasons(msgspec.Struct, frozen=True):
    """One side: the pod (None: a node or an outsider, which have no policies), the oracle's answer, and the reasons.

    ``nearest`` is empty unless the side denies.
    """

    pod: Pod | None
    side: Side
    admitting: tuple[Admitting, ...] = ()
    nearest: tuple[NearMiss, ...] = ()


class BackendVerdict(msgspec.Struct, frozen=True):
    """A judged connection, to a pod, a node or an outsider, or to one backend of a Service, with the reasons."""

    query: Query
    verdict: Verdict
    egress: Reasons
    ingress: Reasons


class Explanation(msgspec.Struct, frozen=True):
    """The explanation of a connection: one way, or one for each backend; none where ``nobody`` gives the reason.

    In a question about several pods, ``alike`` of ``asked`` connections to this port have this outcome.
    """

    connection: Connection
    ways: tuple[BackendVerdict, ...]
    nobody: Nobody | None = None
    alike: int = 1
    asked: int = 1

    @property
    def outcome(self) -> Outcome:
        """The outcome of the connection."""
        return outcome([Outcome.ALLOWED if way.verdict.allowed else Outcome.DENIED for way in self.ways])


def outcome(parts: Sequence[Outcome]) -> Outcome:
    """The outcome of all parts together; denied without parts, since then nothing answers."""
    different = set(parts) or {Outcome.DENIED}
    return different.pop() if len(different) == 1 else Outcome.MIXED


def explain_connection(cluster: Cluster, connection: Connection, terms: Terms | None = None) -> Explanation:
    """Ask the oracle about a connection, and give the reasons of the verdict."""
    terms = terms or Terms()
    destination = connection.destination
    if isinstance(destination, ClusterIPEnd):
        return _through_service(cluster, connection, terms)
    query = Query(cluster, connection.source, destination, connection.traffic, terms.strict_nodes)
    return Explanation(connection, (_way(query, query.verdict()),))


def _through_service(cluster: Cluster, connection: Connection, terms: Terms) -> Explanation:
    address, traffic = connection.destination.address, connection.traffic
    found = service_at(cluster, address, traffic)
    if found is None:
        known = any(address in service.cluster_ips for service in cluster.services)
        return Explanation(connection, (), Nobody.NO_PORT if known else Nobody.NO_SERVICE)
    service, port = found
    verdicts = judge_service(
        cluster,
        connection.source,
        address,
        traffic,
        entry=terms.entry,
        strict_nodes=terms.strict_nodes,
        service_blocks=terms.service_blocks,
    )
    queries = {
        backend: Query(
            cluster,
            connection.source,
            who(cluster, backend.address),
            Traffic(port.protocol, backend.port),
            terms.strict_nodes,
            service,
            (address, traffic) if terms.service_blocks else None,
        )
        for backend in verdicts
    }
    ways = tuple(_way(queries[backend], verdict) for backend, verdict in verdicts.items())
    return Explanation(connection, ways, None if ways else Nobody.NO_ENDPOINT)


def _way(query: Query, verdict: Verdict) -> BackendVerdict:
    return BackendVerdict(
        query,
        verdict,
        _reasons(query, Direction.EGRESS, verdict.egress),
        _reasons(query, Direction.INGRESS, verdict.ingress),
    )


def _reasons(query: Query, direction: Direction, side: Side) -> Reasons:
    near, _ = query.ends(direction)
    return Reasons(
        near.pod if isinstance(near, PodEnd) else None,
        side,
        tuple(_admitting(query, admission) for admission in side.admitted_by),
        () if side.allowed else nearest(query, direction, side.isolated_by),
    )


def _admitting(query: Query, admission: Admission) -> Admitting:
    rule, namespace = admission.policy.rules(admission.direction)[admission.rule], admission.policy.namespace
    _, far = query.ends(admission.direction)
    traffic, destination = query.traffic, query.destination
    if query.opened_to and not (
        peer_matches(query.cluster, namespace, rule.peers, far) and port_matches(rule.ports, traffic, destination)
    ):
        # The rule does not admit the backend, so one of its blocks holds the cluster IP.
        address, traffic = query.opened_to
        far = destination = OutsideEnd(address)
    return Admitting(
        admission,
        tuple(item for item, peer in enumerate(rule.peers) if item_matches(query.cluster, namespace, peer, far)),
        tuple(item for item, entry in enumerate(rule.ports) if entry_matches(entry, traffic, destination)),
    )
