"""Asks every question about a bridge: compares what the simulator does with what the oracle expects, class by class."""

from collections.abc import Callable, Iterator
from itertools import chain
from math import prod

import msgspec
from msgspec.structs import replace

from ovsnp.analysis.verification.expectation.bridge_expectation import BridgeExpectation
from ovsnp.analysis.verification.expectation.next_hops import UNROUTABLE
from ovsnp.analysis.verification.expectation.proof_context import ProofContext
from ovsnp.analysis.verification.packet_classes.addresses import refine
from ovsnp.analysis.verification.packet_classes.connection_states import is_judged
from ovsnp.analysis.verification.packet_classes.traffic import Cells
from ovsnp.analysis.verification.questions.arrivals import arrivals
from ovsnp.analysis.verification.questions.arriving import to_locals, to_others
from ovsnp.analysis.verification.questions.bridge_question import BridgeQuestion, PacketFault, QuestionKind
from ovsnp.analysis.verification.questions.guards import foreign, guarded, nothing
from ovsnp.analysis.verification.questions.hairpin import answered_by_itself
from ovsnp.analysis.verification.questions.megaflows import by_megaflow
from ovsnp.analysis.verification.questions.neighbors import address_resolution, discovery
from ovsnp.analysis.verification.questions.pods import from_pods
from ovsnp.analysis.verification.questions.services.endpoint_choice import ServiceQuestion
from ovsnp.analysis.verification.questions.services.new_connections import service_questions
from ovsnp.analysis.verification.simulator.reading import FlowDump
from ovsnp.analysis.verification.simulator.walk import Simulator, Walk
from ovsnp.model.address import FAMILIES, family
from ovsnp.model.bridge import BridgePorts
from ovsnp.model.cluster import Cluster
from ovsnp.model.options import Options
from ovsnp.model.policy import Direction
from ovsnp.oracle import Traffic
from ovsnp.oracle.classes import Classes
from ovsnp.oracle.indexed_oracle import IndexedOracle
from ovsnp.oracle.relation import Relation
from ovsnp.oracle.rulebook import Partition


class FaultyFlow(msgspec.Struct):
    """A fault, and the number of classes of packets that have it at the same flow."""

    question: BridgeQuestion
    fault: PacketFault
    count: int


class ProofReport(msgspec.Struct, frozen=True):
    """The number of classes of packets in all questions, and the faults that were found."""

    classes: int
    findings: tuple[FaultyFlow, ...]


def prove(
    bridge: FlowDump,
    cluster: Cluster,
    ports: BridgePorts,
    options: Options,
    progress: Callable[[str], None] | None = None,
) -> ProofReport:
    """Ask every question about a bridge's flows; ``progress`` gets the kind of each question before it is asked."""
    found: dict[object, FaultyFlow] = {}
    classes = 0
    for question, faults in answered_questions(bridge, cluster, ports, options):
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
                found[key] = FaultyFlow(replace(question, kind=kind), fault, _size(fault.sets))
    return ProofReport(classes, tuple(found.values()))


def answered_questions(
    bridge: FlowDump, cluster: Cluster, ports: BridgePorts, options: Options
) -> Iterator[tuple[BridgeQuestion, Iterator[PacketFault]]]:
    """Every question with an iterator over its faults, which simulates the packets as it goes on."""
    bridge = bridge.without_learned()
    simulator = Simulator(bridge)
    walk: Walk | None = None
    for question in questions(bridge, cluster, ports, options):
        if walk is None or walk.space is not question.space or walk.stop is not isinstance(question, ServiceQuestion):
            walk = simulator.walk(question.space, stop=isinstance(question, ServiceQuestion), keep=True)
        yield question, question.ask(walk)


def _kind(question: BridgeQuestion, fault: PacketFault) -> QuestionKind:
    """The kind of a question; ``connection state`` instead of ``policy`` if policy judges no packet with the fault."""
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


def questions(bridge: FlowDump, cluster: Cluster, ports: BridgePorts, options: Options) -> Iterator[BridgeQuestion]:
    """Every question: first family by family, then about Ethernet types that are of no family."""
    all_contexts = list(_contexts(bridge, cluster, ports, options))
    for context in all_contexts:
        resolving = address_resolution(context) if context.version == 4 else discovery(context)
        others = _of_family(context) if context.expect.has_family else nothing(context)
        for question in chain((resolving,), others):
            yield question
            yield from by_megaflow(question)
    yield from foreign(all_contexts[0])


def _of_family(context: ProofContext) -> Iterator[BridgeQuestion]:
    yield from from_pods(context)
    for found in arrivals(context):
        yield from to_locals(context, found)
        yield from to_others(context, found)
    yield from answered_by_itself(context)
    yield from guarded(context)
    yield from service_questions(context)


def contexts(bridge: FlowDump, cluster: Cluster, ports: BridgePorts, options: Options) -> Iterator[ProofContext]:
    """The context of the questions, for each address family that the node has."""
    return (context for context in _contexts(bridge, cluster, ports, options) if context.expect.has_family)


def _contexts(bridge: FlowDump, cluster: Cluster, ports: BridgePorts, options: Options) -> Iterator[ProofContext]:
    oracle = IndexedOracle(_of_node(cluster, options.node))
    classes = Classes(oracle)
    return (_context(bridge, oracle, classes, ports, options, version) for version in FAMILIES)


def _of_node(cluster: Cluster, node: str | None) -> Cluster:
    """The cluster with only the policies that select a pod of the node: no other policy applies there."""
    oracle = IndexedOracle(cluster)
    local = [pod for pod in cluster.pods if pod.is_on(node)]
    chosen = {policy.key for pod in local for direction in Direction for policy in oracle.isolating(direction, pod)}
    return replace(cluster, policies=tuple(policy for policy in cluster.policies if policy.key in chosen))


def _context(
    bridge: FlowDump, oracle: IndexedOracle, classes: Classes, ports: BridgePorts, options: Options, version: int
) -> ProofContext:
    cluster = oracle.cluster
    services = [Traffic(port.protocol, port.number) for service in cluster.services for port in service.ports]
    cells = Cells(version, bridge.flows, classes.traffic, services)
    partition = Partition(classes.partition.ends, tuple(cell.traffic for cell in cells.cells))
    expect = BridgeExpectation(oracle, ports, options, version, cells, Relation(oracle, partition))
    cidrs = [cidr for node in cluster.nodes.values() for cidr in node.pod_cidrs]
    cut = [*cidrs, *expect.service_cidrs, *UNROUTABLE]
    single = {each.address for each in expect.locals}
    single |= {address for node in cluster.nodes.values() for address in (*node.gateways, *node.addresses)}
    single = {address for address in single if family(address) == version}
    cluster_ips = {address for service in cluster.services for address in service.cluster_ips}
    far = refine(bridge.flows, oracle, classes, version, cut=cut, single=single, apart=cluster_ips)
    return ProofContext(expect, far, bridge.flows, classes)
