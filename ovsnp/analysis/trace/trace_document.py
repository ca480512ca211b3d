"""A trace as JSON."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from ovsnp.analysis.explain.documents import CarriedProtocol, EndKind, EndName
from ovsnp.analysis.explain.explanation_document import kind_of
from ovsnp.analysis.explain.reasons import Outcome
from ovsnp.analysis.naming.ends import Destination, name_of
from ovsnp.analysis.naming.questions import Question
from ovsnp.analysis.trace.agreement import Traced
from ovsnp.analysis.trace.packet_path import Fate, PacketPath
from ovsnp.analysis.trace.steps import TraceStep
from ovsnp.analysis.trace.stretch import Stretch
from ovsnp.analysis.trace.transcript import Visit
from ovsnp.analysis.trace.translation import header
from ovsnp.document import IPVersion, PortNumber
from ovsnp.model.address import family, format_address
from ovsnp.model.options import Encap
from ovsnp.render import PolicyRule, policy_rules


class TracedEnd(msgspec.Struct, frozen=True):
    """One end of a connection."""

    kind: EndKind
    name: EndName
    address: str


class TracedBackend(TracedEnd, frozen=True):
    """The endpoint that a Service gave a connection."""

    port: PortNumber | None


class TracedPort(msgspec.Struct, frozen=True):
    """A port of a bridge."""

    number: int
    name: str


class TracedTunnel(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"sender": "from", "receiver": "to"}
):
    """The tunnel header that a packet came with."""

    encap: Encap
    sender: str
    receiver: str
    vni: int
    option: Annotated[str | None, Meta(description="the Geneve option, by the field it is mapped to")]
    carried: Annotated[str | None, Meta(description="the source pod's address that the header carries")]


class TracedFlow(msgspec.Struct, frozen=True):
    """The flow that matched."""

    priority: int
    match: str
    cookie: Annotated[str, Meta(pattern="^0x[0-9a-f]{16}$")]


class TracedTranslation(msgspec.Struct, frozen=True):
    """The addresses and ports that conntrack wrote; null: this end stayed as it was."""

    source: str | None
    destination: str | None


class TracedTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table that the packet went through."""

    bridge: str
    table: Annotated[str, Meta(description="the name of the table")]
    id: int
    depth: Annotated[int, Meta(description="above 0: a table that another table asks (resubmit)")]
    says: Annotated[str, Meta(description="what happened, in words")]
    compiled: Annotated[bool, Meta(description="false: the manifests do not compile to this flow")]
    flow: Annotated[TracedFlow | None, Meta(description="null: no flow matched")]
    actions: Annotated[Sequence[str], Meta(description="in the words of ofproto/trace")]
    remarks: Annotated[Sequence[str], Meta(description="in the words of ofproto/trace")]
    policies: Annotated[Sequence[PolicyRule], Meta(description="the policy rules that the flow serves")]
    translated: Annotated[
        TracedTranslation | None, Meta(description="as ADDRESS:PORT; null: conntrack translated nothing")
    ]


class TracedBridge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The path over one bridge."""

    node: Annotated[str | None, Meta(description="null: the cluster has no Node objects, and --node names no node")]
    bridge: str
    in_port: TracedPort
    tunnel: TracedTunnel | None
    packet: Annotated[str, Meta(description="the packet in the question to ofproto/trace")]
    steps: Annotated[Sequence[TracedTable], Meta(min_length=1)]
    raw: Annotated[str | None, Meta(description="with --raw: the answer of ofproto/trace")]


class TracedConnection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The path of the first packet of a connection."""

    family: IPVersion
    source: TracedEnd
    destination: TracedEnd
    protocol: CarriedProtocol
    port: PortNumber | None
    source_port: PortNumber | None
    fate: Annotated[
        Fate,
        Meta(description="astray: out of another port than the destination's; unfinished: on to a node without --db"),
    ]
    says: Annotated[str, Meta(description="the end of the path, in words")]
    backend: Annotated[
        TracedBackend | None, Meta(description="the endpoint that a Service gave; null: no endpoint, or no Service")
    ]
    before: Annotated[str | None, Meta(description="the node of the first half, where its database is not given")]
    rest: Annotated[str | None, Meta(description="the node of the second half, where its database is not given")]
    explained: Annotated[Outcome, Meta(description="the verdict of ovsnp explain")]
    agrees: bool
    disagreements: Sequence[str]
    bridges: Annotated[Sequence[TracedBridge], Meta(min_length=1)]


class TraceDocument(msgspec.Struct, frozen=True):
    """The path of each connection in the question."""

    source: Annotated[str, Meta(description="the full name of SRC")]
    destination: Annotated[str, Meta(description="the full name of DST")]
    agrees: Annotated[bool, Meta(description="true: the bridges do what the policies say, for all connections")]
    notes: Annotated[Sequence[str], Meta(description="what the answer assumes")]
    connections: Annotated[Sequence[TracedConnection], Meta(min_length=1)]


def document(question: Question, ways: Sequence[Traced], source_port: int, *, raw: bool = False) -> TraceDocument:
    """The path of each connection in the question; ``raw`` adds the text of ``ofproto/trace`` to each bridge."""
    return TraceDocument(
        source=question.source,
        destination=question.destination,
        agrees=all(each.agrees for each in ways),
        notes=question.notes,
        connections=[_connection(each, source_port, raw=raw) for each in ways],
    )


def _connection(traced: Traced, source_port: int, *, raw: bool) -> TracedConnection:
    connection, way = traced.answer.connection, traced.way
    return TracedConnection(
        family=family(connection.source.address),
        source=_end(connection.source),
        destination=_end(connection.destination),
        protocol=connection.traffic.protocol,
        port=connection.traffic.port,
        source_port=source_port if connection.traffic.protocol else None,
        fate=way.fate,
        says=way.words,
        backend=_backend(way),
        before=way.before,
        rest=way.rest,
        explained=traced.answer.outcome,
        agrees=traced.agrees,
        disagreements=traced.against,
        bridges=[_bridge(stretch, steps, raw=raw) for stretch, steps in zip(way.stretches, traced.steps, strict=True)],
    )


def _end(end: Destination) -> TracedEnd:
    return TracedEnd(kind_of(end), name_of(end), format_address(end.address))


def _backend(way: PacketPath) -> TracedBackend | None:
    if way.backend is None:
        return None
    end, port = way.backend
    return TracedBackend(kind_of(end), name_of(end), format_address(end.address), port)


def _bridge(stretch: Stretch, steps: Sequence[TraceStep], *, raw: bool) -> TracedBridge:
    node = stretch.node
    return TracedBridge(
        node=node.name,
        bridge=node.bridge,
        in_port=TracedPort(stretch.in_port, node.port_name(stretch.in_port)),
        tunnel=_tunnel(stretch),
        packet=stretch.packet,
        steps=[_table(step) for step in steps],
        raw=stretch.text if raw else None,
    )


def _tunnel(stretch: Stretch) -> TracedTunnel | None:
    if (came := header(stretch)) is None:
        return None
    return TracedTunnel(came.encap, came.sender, came.receiver, came.vni, came.option or None, came.carried or None)


def _table(step: TraceStep) -> TracedTable:
    visit, translated = step.visit, step.translated
    return TracedTable(
        bridge=visit.bridge,
        table=step.table,
        id=visit.table,
        depth=visit.depth,
        says=step.words,
        compiled=step.ours,
        flow=_flow(visit),
        actions=visit.actions,
        remarks=visit.remarks,
        policies=policy_rules(step.rules),
        translated=TracedTranslation(translated.source, translated.destination) if translated else None,
    )


def _flow(visit: Visit) -> TracedFlow | None:
    return TracedFlow(visit.priority, visit.match, f"{visit.cookie:#018x}") if visit.found else None
