"""A way as JSON; docs/trace.schema.json is its schema."""

from collections.abc import Sequence
from typing import Any

from ovsnp.analysis.explain.explanation_document import end_document, traffic_document
from ovsnp.analysis.naming.questions import Question
from ovsnp.analysis.trace.agreement import Traced
from ovsnp.analysis.trace.packet_path import PacketPath
from ovsnp.analysis.trace.steps import TraceStep
from ovsnp.analysis.trace.stretch import Stretch
from ovsnp.analysis.trace.translation import header
from ovsnp.model.address import family


def document(question: Question, ways: Sequence[Traced], source_port: int, *, raw: bool = False) -> dict[str, Any]:
    """The ways of a question's connections; ``raw`` adds ``ofproto/trace``'s own text to each bridge."""
    return {
        "source": question.source,
        "destination": question.destination,
        "agrees": all(each.agrees for each in ways),
        "notes": list(question.notes),
        "connections": [_connection(each, source_port, raw=raw) for each in ways],
    }


def _connection(traced: Traced, source_port: int, *, raw: bool) -> dict[str, Any]:
    connection, way = traced.answer.connection, traced.way
    return {
        "family": family(connection.source.address),
        "source": end_document(connection.source),
        "destination": end_document(connection.destination),
        **traffic_document(connection.traffic),
        "source_port": source_port if connection.traffic.protocol else None,
        "fate": way.fate.value,
        "says": way.words,
        "backend": _backend(way),
        "before": way.before,
        "rest": way.rest,
        "explained": traced.answer.outcome.value,
        "agrees": traced.agrees,
        "disagreements": list(traced.against),
        "bridges": [
            _bridge(stretch, steps, raw=raw) for stretch, steps in zip(way.stretches, traced.steps, strict=True)
        ],
    }


def _backend(way: PacketPath) -> dict[str, Any] | None:
    return {**end_document(way.backend[0]), "port": way.backend[1]} if way.backend else None


def _bridge(stretch: Stretch, steps: Sequence[TraceStep], *, raw: bool) -> dict[str, Any]:
    node = stretch.node
    return {
        "node": node.name,
        "bridge": node.bridge,
        "in_port": {"number": stretch.in_port, "name": node.port_name(stretch.in_port)},
        "tunnel": _tunnel(stretch),
        "packet": stretch.packet,
        "steps": [_step(step) for step in steps],
        "raw": stretch.text if raw else None,
    }


def _tunnel(stretch: Stretch) -> dict[str, Any] | None:
    if (came := header(stretch)) is None:
        return None
    ends = {"encap": came.encap.value, "from": came.sender, "to": came.receiver}
    return {**ends, "vni": came.vni, "option": came.option or None, "carried": came.carried or None}


def _step(step: TraceStep) -> dict[str, Any]:
    visit, translated = step.visit, step.translated
    return {
        "bridge": visit.bridge,
        "table": step.table,
        "id": visit.table,
        "depth": visit.depth,
        "says": step.words,
        "compiled": step.ours,
        "flow": {"priority": visit.priority, "match": visit.match, "cookie": f"{visit.cookie:#018x}"}
        if visit.found
        else None,
        "actions": list(visit.actions),
        "remarks": list(visit.remarks),
        "policies": [
            {"namespace": rule.namespace, "name": rule.policy, "rule": f"{rule.direction.section}[{rule.index}]"}
            for rule in step.rules
        ],
        "translated": {"source": translated.source, "destination": translated.destination} if translated else None,
    }
