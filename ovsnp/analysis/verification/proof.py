"""Holds what the simulator makes of every class of packets against what the oracle expects."""

from collections.abc import Callable, Iterator
from itertools import chain
from math import prod

import msgspec
from msgspec.structs import replace

from ovsnp.analysis.verification.questions.addresses import refine
from ovsnp.analysis.verification.questions.answers import answered_by_itself
from ovsnp.analysis.verification.questions.arrivals import arrivals
from ovsnp.analysis.verification.questions.arriving import to_locals, to_others
from ovsnp.analysis.verification.questions.choices import Choice
from ovsnp.analysis.verification.questions.expectation import Expectation
from ovsnp.analysis.verification.questions.guards import foreign, guarded, nothing
from ovsnp.analysis.verification.questions.megaflows import by_megaflow
from ovsnp.analysis.verification.questions.neighbors import address_resolution, discovery
from ovsnp.analysis.verification.questions.pods import from_pods
from ovsnp.analysis.verification.questions.question import Fault, Question
from ovsnp.analysis.verification.questions.scene import Scene
from ovsnp.analysis.verification.questions.services import service_questions
from ovsnp.analysis.verification.questions.states import is_judged
from ovsnp.analysis.verification.questions.traffic import Cells
from ovsnp.analysis.verification.questions.ways import UNROUTABLE
from ovsnp.analysis.verification.simulator.reading import Bridge
from ovsnp.analysis.verification.simulator.walk import Simulator, Walk
from ovsnp.model.address import FAMILIES, family
from ovsnp.model.bridge import Ports
from ovsnp.model.cluster import Cluster
from ovsnp.model.options import Options
from ovsnp.model.policy import Direction
from ovsnp.oracle import Traffic
from ovsnp.oracle.classes import Classes
from ovsnp.oracle.prepared import Prepared
from ovsnp.oracle.relation import Relation
from ovsnp.oracle.rulebook import Partition


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
    found: dict[object, Finding] = {}
    classes = 0
    for question, faults in asked(bridge, cluster, ports, options):
        if progress:
            progress(question.kind)
        size = _size(question.sets)
        classes += size
        for fault in faults:
            path = fault.packets.path
            kind = _kind(question, fault)
            key = kind, fault.what, path and path[:1], path and id(path[1])
            if key in found:
                found[key].count += _size(fault.sets)
            else:
                found[key] = Finding(replace(question, kind=kind), fault, _size(fault.sets))
    return Report(classes, tuple(found.values()))


def asked(
    bridge: Bridge, cluster: Cluster, ports: Ports, options: Options
) -> Iterator[tuple[Question, Iterator[Fault]]]:
    """Every question with its faults, which are looked for as they are taken."""
    bridge = bridge.without_learned()
    simulator = Simulator(bridge)
    walk: Walk | None = None
    for question in questions(bridge, cluster, ports, options):
        if walk is None or walk.space is not question.space or walk.stop is not isinstance(question, Choice):
            walk = simulator.walk(question.space, stop=isinstance(question, Choice), keep=True)
        yield question, question.ask(walk)


def _kind(question: Question, fault: Fault) -> str:
    """The kind of a question; where the state of no packet leaves it to policy, policy is not the first suspect."""
    if question.kind != "policy":
        return question.kind
    judged = any(
        is_judged(bits, label)
        for memory in question.memory.values()
        for bits, sets in question.space.split(memory.state, fault.sets)
        for label, _ in question.space.split(memory.label, sets)
    )
    return question.kind if judged else "connection state"


def _size(sets: tuple[int, ...]) -> int:
    return prod(bits.bit_count() for bits in sets)


def questions(bridge: Bridge, cluster: Cluster, ports: Ports, options: Options) -> Iterator[Question]:
    """Every question, family by family; then those that have no family."""
    every = list(_scenes(bridge, cluster, ports, options))
    for scene in every:
        resolving = address_resolution(scene) if scene.version == 4 else discovery(scene)
        questions_ = _of_family(scene) if scene.expect.has_family else nothing(scene)
        for question in chain((resolving,), questions_):
            yield question
            yield from by_megaflow(question)
    yield from foreign(every[0])


def _of_family(scene: Scene) -> Iterator[Question]:
    yield from from_pods(scene)
    for found in arrivals(scene):
        yield from to_locals(scene, found)
        yield from to_others(scene, found)
    yield from answered_by_itself(scene)
    yield from guarded(scene)
    yield from service_questions(scene)


def scenes(bridge: Bridge, cluster: Cluster, ports: Ports, options: Options) -> Iterator[Scene]:
    """What questions are asked about, for each address family that the node has."""
    return (scene for scene in _scenes(bridge, cluster, ports, options) if scene.expect.has_family)


def _scenes(bridge: Bridge, cluster: Cluster, ports: Ports, options: Options) -> Iterator[Scene]:
    prepared = Prepared(_of_node(cluster, options.node))
    classes = Classes(prepared)
    return (_scene(bridge, prepared, classes, ports, options, version) for version in FAMILIES)


def _of_node(cluster: Cluster, node: str | None) -> Cluster:
    """The cluster with only the policies that select a pod of the node: no other has a say there."""
    prepared = Prepared(cluster)
    local = [pod for pod in cluster.pods if pod.is_on(node)]
    chosen = {policy.key for pod in local for direction in Direction for policy in prepared.isolating(direction, pod)}
    return replace(cluster, policies=tuple(policy for policy in cluster.policies if policy.key in chosen))


def _scene(bridge: Bridge, prepared: Prepared, classes: Classes, ports: Ports, options: Options, version: int) -> Scene:
    cluster = prepared.cluster
    services = [Traffic(port.protocol, port.number) for service in cluster.services for port in service.ports]
    cells = Cells(version, bridge.flows, classes.traffic, services)
    partition = Partition(classes.partition.ends, tuple(cell.traffic for cell in cells.cells))
    expect = Expectation(prepared, ports, options, version, cells, Relation(prepared, partition))
    cidrs = [cidr for node in cluster.nodes.values() for cidr in node.pod_cidrs]
    cut = [*cidrs, *expect.service_cidrs, *UNROUTABLE]
    single = {each.address for each in expect.locals}
    single |= {address for node in cluster.nodes.values() for address in (*node.gateways, *node.addresses)}
    single = {address for address in single if family(address) == version}
    cluster_ips = {address for service in cluster.services for address in service.cluster_ips}
    far = refine(bridge.flows, prepared, classes, version, cut=cut, single=single, apart=cluster_ips)
    return Scene(expect, far, bridge.flows, classes)
