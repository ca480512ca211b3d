"""Why a connection is allowed or denied: the oracle's verdict, with what matched and what came nearest."""

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from ovsnp.analysis.explain.nearest import Miss, nearest
from ovsnp.analysis.explain.scene import Scene
from ovsnp.analysis.naming.ends import ClusterIPEnd
from ovsnp.analysis.naming.questions import Connection
from ovsnp.model.cluster import Cluster, Pod
from ovsnp.model.policy import Direction
from ovsnp.oracle import Admission, OutsideEnd, PodEnd, Side, Traffic, Verdict, judge_service, service_at, who
from ovsnp.oracle.peers import item_matches, peer_matches
from ovsnp.oracle.traffic import entry_matches, port_matches


class Outcome(StrEnum):
    """What becomes of a connection; mixed where it depends on the backend, the family or the port."""

    ALLOWED = "allowed"
    DENIED = "denied"
    MIXED = "mixed"


class Nobody(StrEnum):
    """Why nobody answers at a cluster IP and port."""

    NO_SERVICE = "no-service"
    NO_PORT = "no-port"
    NO_ENDPOINT = "no-endpoint"


class Admitting(msgspec.Struct, frozen=True):
    """A rule that admits, and which of its peers and ports match; empty where the rule names none: all do."""

    admission: Admission
    peers: tuple[int, ...]
    ports: tuple[int, ...]


class Reasons(msgspec.Struct, frozen=True):
    """One side: its pod (None: a node or an outsider, which have no policies), the oracle's answer, and why.

    ``nearest`` is empty unless the side denies.
    """

    pod: Pod | None
    side: Side
    admitting: tuple[Admitting, ...] = ()
    nearest: tuple[Miss, ...] = ()


class Way(msgspec.Struct, frozen=True):
    """What is judged: a connection to a pod, a node or an outsider, or to one backend of a Service."""

    scene: Scene
    verdict: Verdict
    egress: Reasons
    ingress: Reasons


class Answer(msgspec.Struct, frozen=True):
    """All that is to say of a connection: one way, or one for each backend; none where ``nobody`` says why.

    Where several pods are asked about, ``alike`` is how many of ``asked`` connections to this port have this outcome.
    """

    connection: Connection
    ways: tuple[Way, ...]
    nobody: Nobody | None = None
    alike: int = 1
    asked: int = 1

    @property
    def outcome(self) -> Outcome:
        """What becomes of it."""
        return outcome([Outcome.ALLOWED if way.verdict.allowed else Outcome.DENIED for way in self.ways])


class Terms(msgspec.Struct, frozen=True):
    """What the oracle is told beside the connection: see `judge` and `judge_service`."""

    strict_nodes: bool = False
    entry: str | None = None
    service_blocks: bool = False


def outcome(parts: Sequence[Outcome]) -> Outcome:
    """What becomes of all of them together; of none: denied, since nobody is there."""
    different = set(parts) or {Outcome.DENIED}
    return different.pop() if len(different) == 1 else Outcome.MIXED


def explain(cluster: Cluster, connection: Connection, terms: Terms | None = None) -> Answer:
    """Ask the oracle about a connection, and give its reasons."""
    terms = terms or Terms()
    destination = connection.destination
    if isinstance(destination, ClusterIPEnd):
        return _through_service(cluster, connection, terms)
    scene = Scene(cluster, connection.source, destination, connection.traffic, terms.strict_nodes)
    return Answer(connection, (_way(scene, scene.verdict()),))


def _through_service(cluster: Cluster, connection: Connection, terms: Terms) -> Answer:
    address, traffic = connection.destination.address, connection.traffic
    found = service_at(cluster, address, traffic)
    if found is None:
        known = any(address in service.cluster_ips for service in cluster.services)
        return Answer(connection, (), Nobody.NO_PORT if known else Nobody.NO_SERVICE)
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
    scenes = {
        backend: Scene(
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
    ways = tuple(_way(scenes[backend], verdict) for backend, verdict in verdicts.items())
    return Answer(connection, ways, None if ways else Nobody.NO_ENDPOINT)


def _way(scene: Scene, verdict: Verdict) -> Way:
    return Way(
        scene,
        verdict,
        _reasons(scene, Direction.EGRESS, verdict.egress),
        _reasons(scene, Direction.INGRESS, verdict.ingress),
    )


def _reasons(scene: Scene, direction: Direction, side: Side) -> Reasons:
    near, _ = scene.ends(direction)
    return Reasons(
        near.pod if isinstance(near, PodEnd) else None,
        side,
        tuple(_admitting(scene, admission) for admission in side.admitted_by),
        () if side.allowed else nearest(scene, direction, side.isolated_by),
    )


def _admitting(scene: Scene, admission: Admission) -> Admitting:
    rule, namespace = admission.policy.rules(admission.direction)[admission.rule], admission.policy.namespace
    _, far = scene.ends(admission.direction)
    traffic, destination = scene.traffic, scene.destination
    if scene.opened_to and not (
        peer_matches(scene.cluster, namespace, rule.peers, far) and port_matches(rule.ports, traffic, destination)
    ):
        # Then it is the cluster IP that one of its blocks holds.
        address, traffic = scene.opened_to
        far = destination = OutsideEnd(address)
    return Admitting(
        admission,
        tuple(item for item, peer in enumerate(rule.peers) if item_matches(scene.cluster, namespace, peer, far)),
        tuple(item for item, entry in enumerate(rule.ports) if entry_matches(entry, traffic, destination)),
    )
