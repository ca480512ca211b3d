"""What one end may open to another, as JSON."""

from collections.abc import Sequence

import msgspec

from ovsnp.analysis.explain.documents import ExplainDocument, ExplainedOpening, NamedPorts, OpeningRule, OpeningSide
from ovsnp.analysis.explain.explanation_document import admitting_document, end_document, miss_document, policy_document
from ovsnp.analysis.explain.openings.openings import Opening, OpenRule, OpenSide
from ovsnp.analysis.explain.reasons import outcome
from ovsnp.analysis.naming.questions import Pairs
from ovsnp.analysis.wording.places import Places
from ovsnp.analysis.wording.traffics import Names, Ports
from ovsnp.model.address import family
from ovsnp.model.policy import Direction


def openings_document(pairs: Pairs, openings: Sequence[Opening], places: Places) -> ExplainDocument:
    """The answer for every port, each rule with its file and line."""
    return ExplainDocument(
        source=pairs.source,
        destination=pairs.destination,
        verdict=outcome([each.ranges.outcome for each in openings]),
        notes=pairs.notes,
        connections=(),
        openings=[_opening(each, places) for each in openings],
    )


def _opening(opening: Opening, places: Places) -> ExplainedOpening:
    return ExplainedOpening(
        family=family(opening.source.address),
        source=end_document(opening.source),
        destination=end_document(opening.destination),
        alike=opening.alike,
        verdict=opening.ranges.outcome,
        allowed=ports_document(opening.ranges.allowed, opening.names),
        denied=ports_document(opening.ranges.denied, opening.names),
        undelivered=opening.undelivered,
        nobody="no-service" if opening.nobody else None,
        egress=None if opening.nobody else _side(opening.egress, Direction.EGRESS, opening, places),
        ingress=None if opening.nobody else _side(opening.ingress, Direction.INGRESS, opening, places),
    )


def ports_document(ports: Ports, names: Names) -> list[NamedPorts]:
    """Ranges of ports, first and last included; ``name`` is what the destination calls a single port."""
    return [
        NamedPorts(
            protocol=protocol,
            first=run.first,
            last=run.last,
            name=names.get((protocol, run.first)) if run.first == run.last else None,
        )
        for protocol, runs in ports.items()
        for run in runs
    ]


def _side(side: OpenSide, direction: Direction, opening: Opening, places: Places) -> OpeningSide:
    return OpeningSide(
        pod=side.pod.title if side.pod else None,
        allowed=ports_document(side.ranges.allowed, opening.names),
        denied=ports_document(side.ranges.denied, opening.names),
        exempt=opening.exempt,
        isolated_by=[policy_document(policy, places) for policy in side.isolated_by],
        admitted_by=[_rule(rule, opening.names, places) for rule in side.rules],
        nearest=[miss_document(miss, direction, places) for miss in side.nearest],
    )


def _rule(rule: OpenRule, names: Names, places: Places) -> OpeningRule:
    admitting = msgspec.structs.asdict(admitting_document(rule.admitting, places))
    return OpeningRule(**admitting, allows=ports_document(rule.ports, names))
