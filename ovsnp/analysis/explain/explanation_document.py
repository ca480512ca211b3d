"""An explanation as JSON."""

from collections.abc import Mapping, Sequence

import msgspec

from ovsnp.analysis.explain.documents import (
    AddressNeed,
    AdmittingRule,
    AnyNeed,
    EndKind,
    EndNeed,
    ExplainDocument,
    ExplainedConnection,
    ExplainedEnd,
    ExplainedSide,
    ExplainedWay,
    LabelNeed,
    NamespaceNeed,
    NearRule,
    PlacedPolicy,
    PortNameNeed,
    PortNeed,
    RuleItem,
    RulePortNeed,
)
from ovsnp.analysis.explain.nearest import NearMiss
from ovsnp.analysis.explain.needs import (
    InNamespace,
    Label,
    Need,
    OtherAddress,
    OtherEnd,
    PortName,
    RulePort,
    ToPort,
    need_words,
)
from ovsnp.analysis.explain.reasons import Admitting, BackendVerdict, Explanation, Reasons, outcome
from ovsnp.analysis.naming.ends import ClusterIPEnd, Destination, name_of
from ovsnp.analysis.naming.questions import Question
from ovsnp.analysis.wording.places import Places, PolicyField
from ovsnp.analysis.wording.rules import peer_words_in, port_words
from ovsnp.model.address import family
from ovsnp.model.policy import Direction, NetworkPolicy
from ovsnp.model.unassigned import assigned_text
from ovsnp.oracle import NodeEnd, OutsideEnd, PodEnd

_KINDS: Mapping[type[Destination], EndKind] = {
    PodEnd: "pod",
    NodeEnd: "node",
    OutsideEnd: "outside",
    ClusterIPEnd: "service",
}


def document(question: Question, answers: Sequence[Explanation], places: Places) -> ExplainDocument:
    """The answers to a question, each with the files and lines that decide."""
    return ExplainDocument(
        source=question.source,
        destination=question.destination,
        verdict=outcome([answer.outcome for answer in answers]),
        notes=question.notes,
        connections=[_connection(answer, places) for answer in answers],
        openings=(),
    )


def _connection(answer: Explanation, places: Places) -> ExplainedConnection:
    connection = answer.connection
    return ExplainedConnection(
        family=family(connection.source.address),
        source=end_document(connection.source),
        destination=end_document(connection.destination),
        protocol=connection.traffic.protocol,
        port=connection.traffic.port,
        alike=answer.alike,
        verdict=answer.outcome,
        nobody=answer.nobody,
        ways=[_way(way, places) for way in answer.ways],
    )


def end_document(end: Destination) -> ExplainedEnd:
    """One end of a connection."""
    return ExplainedEnd(kind_of(end), name_of(end), assigned_text(end.address))


def kind_of(end: Destination) -> EndKind:
    """What an end is, in a word."""
    return _KINDS[type(end)]


def _way(way: BackendVerdict, places: Places) -> ExplainedWay:
    return ExplainedWay(
        destination=end_document(way.query.destination),
        protocol=way.query.traffic.protocol,
        port=way.query.traffic.port,
        verdict="allowed" if way.verdict.allowed else "denied",
        undelivered=way.verdict.undelivered,
        egress=_side(way.egress, Direction.EGRESS, places),
        ingress=_side(way.ingress, Direction.INGRESS, places),
    )


def _side(reasons: Reasons, direction: Direction, places: Places) -> ExplainedSide:
    side = reasons.side
    return ExplainedSide(
        pod=reasons.pod.title if reasons.pod else None,
        allowed=side.allowed,
        exempt=side.exempt,
        isolated_by=[policy_document(policy, places) for policy in side.isolated_by],
        admitted_by=[admitting_document(each, places) for each in reasons.admitting],
        nearest=[miss_document(miss, direction, places) for miss in reasons.nearest],
    )


def policy_document(policy: NetworkPolicy, places: Places) -> PlacedPolicy:
    """A policy that isolates."""
    return _placed(policy, places.policy(policy))


def rule_document(policy: NetworkPolicy, direction: Direction, rule: int, places: Places) -> PlacedPolicy:
    """A rule, and where it stands."""
    return _placed(policy, places.rule(policy, direction, rule))


def _placed(policy: NetworkPolicy, field: PolicyField) -> PlacedPolicy:
    return PlacedPolicy(policy.key, field.path, field.span.file, field.span.line or None)


def admitting_document(each: Admitting, places: Places) -> AdmittingRule:
    """A rule that admits, and the peers and ports of it that match."""
    where = each.admission.policy, each.admission.direction, each.admission.rule
    return AdmittingRule(
        **msgspec.structs.asdict(rule_document(*where, places)),
        peers=[peer_document(*where, item, places) for item in each.peers],
        ports=[port_document(*where, item, places) for item in each.ports],
    )


def miss_document(miss: NearMiss, direction: Direction, places: Places) -> NearRule:
    """A rule that came near, and what is lacking."""
    where = miss.policy, direction, miss.rule
    return NearRule(
        **msgspec.structs.asdict(rule_document(*where, places)),
        peer=None if miss.peer is None else peer_document(*where, miss.peer, places),
        port=None if miss.port is None else port_document(*where, miss.port, places),
        needs=[_need(need) for need in miss.needs],
        then=None if miss.then is None else "allowed" if miss.then else "denied",
    )


def peer_document(policy: NetworkPolicy, direction: Direction, rule: int, item: int, places: Places) -> RuleItem:
    """An item of a rule's ``from`` or ``to``."""
    words = peer_words_in(policy.namespace, policy.rules(direction)[rule].peers[item])
    return _item(places.peer(policy, direction, rule, item), words)


def port_document(policy: NetworkPolicy, direction: Direction, rule: int, item: int, places: Places) -> RuleItem:
    """An item of a rule's ``ports``."""
    words = port_words(policy.rules(direction)[rule].ports[item])
    return _item(places.port(policy, direction, rule, item), words)


def _item(field: PolicyField, words: str) -> RuleItem:
    return RuleItem(field.path, field.span.file, field.span.line or None, words)


def _need(need: Need) -> AnyNeed:
    text = need_words(need)
    match need:
        case Label():
            return LabelNeed(text, need.holder, need.name, need.key, need.value, need.now, need.anything)
        case InNamespace():
            return NamespaceNeed(text, need.pod, need.namespace, need.only)
        case ToPort():
            return PortNeed(text, need.protocol, need.first, need.last, need.by)
        case RulePort():
            section = need.direction.section
            return RulePortNeed(text, need.policy, section, need.rule, need.protocol, need.number, need.service)
        case PortName():
            return PortNameNeed(text, need.pod, need.name, need.protocol, need.number)
        case OtherAddress():
            excepted = str(need.excepted) if need.excepted else None
            return AddressNeed(text, need.address, str(need.cidr), excepted)
        case OtherEnd():
            return EndNeed(text)
