"""Answers a question by the bridges: with the path of each of its connections."""

from collections.abc import Iterator, Mapping

import msgspec

from ovsnp.analysis.explain.reasons import explain_connection
from ovsnp.analysis.naming.ends import ClusterIPEnd, name_of
from ovsnp.analysis.naming.questions import Connection, Question
from ovsnp.analysis.trace.agreement import Traced, compare
from ovsnp.analysis.trace.judged import judged
from ovsnp.analysis.trace.nodes import TracedNode, bridge_of
from ovsnp.analysis.trace.packet_path import follow
from ovsnp.analysis.trace.steps import steps
from ovsnp.errors import UsageError
from ovsnp.model.cluster import Cluster
from ovsnp.oracle import NodeEnd, PodEnd
from ovsnp.oracle.terms import Terms


class TraceTerms(msgspec.Struct, frozen=True):
    """The terms of a trace, beside the question: the terms of the policies, and the connections' source port."""

    terms: Terms
    source_port: int


def trace(
    cluster: Cluster, nodes: Mapping[str | None, TracedNode], question: Question, asked: TraceTerms
) -> Iterator[Traced]:
    """The paths of the connections, in the order of the question.

    Raises UsageError if a packet reaches no bridge that is traced, SwitchError if Open vSwitch does not answer.
    """
    for connection in question.connections:
        start = _start(cluster, nodes, connection, asked.terms.entry)
        terms = msgspec.structs.replace(asked.terms, entry=start)
        way = follow(cluster, nodes, connection, start, asked.source_port)
        answer = explain_connection(cluster, connection, terms)
        said = judged(answer, way)
        taken = tuple(tuple(steps(each, said)) for each in way.stretches)
        yield compare(cluster, nodes, Traced(answer, way, taken))


def one_packet(question: Question) -> Question:
    """The question about the first of its pairs of ends, with a note where there are several: a packet has one."""
    if not question.several:
        return question
    first = question.connections[0]
    ends = name_of(first.source), name_of(first.destination)
    connections = tuple(
        each for each in question.connections if (name_of(each.source), name_of(each.destination)) == ends
    )
    note = f"a packet is of one pod, so this one is from {ends[0]} to {ends[1]}"
    return Question(question.source, question.destination, connections, (*question.notes, note))


def check(question: Question) -> None:
    """Raises UsageError if the packets reach no bridge at all."""
    for source, destination in ((each.source, each.destination) for each in question.connections):
        if isinstance(source, PodEnd) and isinstance(destination, PodEnd) and source.pod.key == destination.pod.key:
            raise UsageError(
                f"{question.source} reaches itself without the bridge; name another pod as DST, or a Service"
            )
        if not isinstance(source, PodEnd) and not isinstance(destination, PodEnd | ClusterIPEnd):
            raise UsageError(
                f"between {question.source} and {question.destination} no packet comes to the bridge; name a pod as"
                " SRC or DST"
            )


def _start(
    cluster: Cluster, nodes: Mapping[str | None, TracedNode], connection: Connection, entry: str | None
) -> str | None:
    """The node whose bridge the packet reaches first; ``entry`` is the node by whose gateway outsiders come in."""
    source, destination = connection.source, connection.destination
    if isinstance(source, PodEnd):
        return bridge_of(nodes, source.pod)
    if isinstance(source, NodeEnd):
        return source.node.name
    if entry is not None:
        return entry
    if not cluster.nodes:
        return next(iter(nodes))
    if isinstance(destination, PodEnd):
        return bridge_of(nodes, destination.pod)
    if len(nodes) == 1:
        return next(iter(nodes))
    raise UsageError(
        f"by which node's gateway does it come in? Name one with --node: {', '.join(sorted(cluster.nodes))}"
    )
