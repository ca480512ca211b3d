"""What one end may open to another, as JSON; docs/explain.schema.json is its schema."""

from collections.abc import Sequence
from typing import Any

from ovsnp.analysis.explain.explanation_document import admitting_document, end_document, miss_document, policy_document
from ovsnp.analysis.explain.openings.openings import Opening, OpenRule, OpenSide
from ovsnp.analysis.explain.reasons import outcome
from ovsnp.analysis.naming.questions import Pairs
from ovsnp.analysis.wording.places import Places
from ovsnp.analysis.wording.traffics import Names, Ports
from ovsnp.model.address import family
from ovsnp.model.policy import Direction


def openings_document(pairs: Pairs, openings: Sequence[Opening], places: Places) -> dict[str, Any]:
    """The answer for every port, each rule with its file and line."""
    return {
        "source": pairs.source,
        "destination": pairs.destination,
        "verdict": outcome([each.ranges.outcome for each in openings]).value,
        "notes": list(pairs.notes),
        "connections": [],
        "openings": [_opening(each, places) for each in openings],
    }


def _opening(opening: Opening, places: Places) -> dict[str, Any]:
    return {
        "family": family(opening.source.address),
        "source": end_document(opening.source),
        "destination": end_document(opening.destination),
        "alike": opening.alike,
        "verdict": opening.ranges.outcome.value,
        "allowed": ports_document(opening.ranges.allowed, opening.names),
        "denied": ports_document(opening.ranges.denied, opening.names),
        "undelivered": opening.undelivered,
        "nobody": opening.nobody.value if opening.nobody else None,
        "egress": None if opening.nobody else _side(opening.egress, Direction.EGRESS, opening, places),
        "ingress": None if opening.nobody else _side(opening.ingress, Direction.INGRESS, opening, places),
    }


def ports_document(ports: Ports, names: Names) -> list[dict[str, Any]]:
    """Ranges of ports, first and last included; ``name`` is what the destination calls a single port."""
    return [
        {
            "protocol": protocol.value,
            "first": run.first,
            "last": run.last,
            "name": names.get((protocol, run.first)) if run.first == run.last else None,
        }
        for protocol, runs in ports.items()
        for run in runs
    ]


def _side(side: OpenSide, direction: Direction, opening: Opening, places: Places) -> dict[str, Any]:
    return {
        "pod": side.pod.title if side.pod else None,
        "allowed": ports_document(side.ranges.allowed, opening.names),
        "denied": ports_document(side.ranges.denied, opening.names),
        "exempt": opening.exempt.value if opening.exempt else None,
        "isolated_by": [policy_document(policy, places) for policy in side.isolated_by],
        "admitted_by": [_rule(rule, opening.names, places) for rule in side.rules],
        "nearest": [miss_document(miss, direction, places) for miss in side.nearest],
    }


def _rule(rule: OpenRule, names: Names, places: Places) -> dict[str, Any]:
    return {**admitting_document(rule.admitting, places), "allows": ports_document(rule.ports, names)}
