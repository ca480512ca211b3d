"""The result of a check as JSON; docs/check.schema.json is its schema."""

from collections.abc import Sequence
from typing import Any

from ovsnp.analysis.check.judging import FlowMiss
from ovsnp.analysis.check.placed import Placed
from ovsnp.analysis.explain.explanation_document import document as explained
from ovsnp.analysis.wording.places import Places


def document(placed: Sequence[Placed]) -> dict[str, Any]:
    """Every expectation with its verdict, and the explanation of each that is not met."""
    places = Places()
    silent = [each.judged.silent for each in placed if each.judged.silent is not None]
    return {
        "unmet": sum(not each.judged.met for each in placed),
        "unasked": sum(silent) if silent else None,
        "expectations": [_expectation(each, places) for each in placed],
    }


def _expectation(placed: Placed, places: Places) -> dict[str, Any]:
    judged, span = placed
    expectation, question = judged.asked.expectation, judged.asked.question
    return {
        "file": span.file,
        "line": span.line or None,
        "from": question.source,
        "to": question.destination,
        "port": expectation.written.port,
        "family": expectation.written.version,
        "expect": expectation.expected.value,
        "verdict": judged.outcome.value,
        "possible": judged.possible.value,
        "met": judged.met,
        "notes": list(question.notes),
        "counterexamples": None if judged.silent is None else [_packet(miss) for miss in judged.misses],
        "explanation": None if judged.met else explained(question, judged.answers, places),
    }


def _packet(miss: FlowMiss) -> dict[str, Any]:
    example = miss.example
    name, came = example.who
    return {
        "what": example.what,
        "who": name,
        "came": came,
        "table": miss.table,
        "packet": example.packet,
        "flows": list(example.flows),
        "trace": example.trace,
    }
