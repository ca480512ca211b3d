"""Holds what the simulator makes of every class of packets against what the oracle expects."""

from collections.abc import Callable, Iterator
from math import prod

import msgspec
from msgspec.structs import replace

from ovsnp.model.address import FAMILIES, family
from ovsnp.model.bridge import Ports
from ovsnp.model.cluster import Cluster
from ovsnp.model.options import Options
from ovsnp.model.policy import Direction
from ovsnp.proof.questions.addresses import refine
from ovsnp.proof.questions.choices import Choice
from ovsnp.proof.questions.expectation import Expectation
from ovsnp.proof.questions.guards import guarded
from ovsnp.proof.questions.masquerade import masqueraded
from ovsnp.proof.questions.neighbors import neighbors
from ovsnp.proof.questions.policy import connections
from ovsnp.proof.questions.question import Fault, Question
from ovsnp.proof.questions.scene import Scene
from ovsnp.proof.questions.services import service_questions
from ovsnp.proof.questions.traffic import Cells
from ovsnp.proof.questions.ways import UNROUTABLE
from ovsnp.proof.simulator.reading import Bridge
from ovsnp.proof.simulator.walk import Simulator, Walk
from ovsnp.verify import Traffic
from ovsnp.verify.classes import Classes
from ovsnp.verify.prepared import Prepared


class Finding(msgspec.Struct):
    """A fault, and how many classes of packets have it at the same flow."""

    question: Question
    fault: Fault
    count: int


class Report(msgspec.Struct, frozen=True):
    """How many classes of packets were asked about, and what was found."""

    classes: int
    findings: tuple[Finding, ...]


def prove(
    bridge: Bridge, cluster: Cluster, ports: Ports, options: Options, progress: Callable[[str], None] | None = None
) -> Report:
    """Ask every question of a bridge's flows; ``progress`` is told what is asked next."""
    bridge = bridge.without_learned()
    simulator = Simulator(bridge)
    found: dict[object, Finding] = {}
    classes = 0
    walk: Walk | None = None
    for question in questions(bridge, cluster, ports, options):
        if walk is None or walk.space is not question.space or walk.stop is not isinstance(question, Choice):
            walk = simulator.walk(question.space, stop=isinstance(question, Choice))
        if progress:
            progress(question.kind)
        size = _size(question.sets)
        classes += size
        for fault in question.ask(walk):
            path = fault.packets.path
            key = question.kind, fault.what, path and path[:1], path and id(path[1])
            if key in found:
                found[key].count += _size(fault.sets)
            else:
                found[key] = Finding(question, fault, _size(fault.sets))
    return Report(classes, tuple(found.values()))


def _size(sets: tuple[int, ...]) -> int:
    return prod(bits.bit_count() for bits in sets)


def questions(bridge: Bridge, cluster: Cluster, ports: Ports, options: Options) -> Iterator[Question]:
    """Every question, family by family."""
    for scene in scenes(bridge, cluster, ports, options):
        yield from connections(scene)
        yield from guarded(scene)
        yield from neighbors(scene)
        yield from masqueraded(scene)
        yield from service_questions(scene)


def scenes(bridge: Bridge, cluster: Cluster, ports: Ports, options: Options) -> Iterator[Scene]:
    """What questions are asked about, for each address family that the node has."""
    prepared = Prepared(_of_node(cluster, options.node))
    classes = Classes(prepared)
    for version in FAMILIES:
        scene = _scene(bridge, prepared, classes, ports, options, version)
        if scene is not None:
            yield scene


def _of_node(cluster: Cluster, node: str | None) -> Cluster:
    """The cluster with only the policies that select a pod of the node: no other has a say there."""
    prepared = Prepared(cluster)
    local = [pod for pod in cluster.pods if pod.is_on(node)]
    chosen = {policy.key for pod in local for direction in Direction for policy in prepared.isolating(direction, pod)}
    return replace(cluster, policies=tuple(policy for policy in cluster.policies if policy.key in chosen))


def _scene(
    bridge: Bridge, prepared: Prepared, classes: Classes, ports: Ports, options: Options, version: int
) -> Scene | None:
    cluster = prepared.cluster
    services = [Traffic(port.protocol, port.number) for service in cluster.services for port in service.ports]
    cells = Cells(version, bridge.flows, classes.traffic, services)
    expect = Expectation(prepared, ports, options, version, cells)
    cidrs = [cidr for node in cluster.nodes.values() for cidr in node.pod_cidrs]
    families = {cidr.family for cidr in (expect.node.pod_cidrs if expect.node else ())}
    if version not in families | {family(address) for pod in expect.local.values() for address in pod.addresses}:
        return None
    cut = [*cidrs, *expect.service_cidrs, *UNROUTABLE]
    single = {each.address for each in expect.locals}
    single |= {address for node in cluster.nodes.values() for address in (*node.gateways, *node.addresses)}
    single = {address for address in single if family(address) == version}
    cluster_ips = {address for service in cluster.services for address in service.cluster_ips}
    far = refine(bridge.flows, prepared, classes, version, cut=cut, single=single, apart=cluster_ips)
    return Scene(expect, far, bridge.flows, classes)
