"""An explanation as JSON; docs/explain.schema.json is its schema."""

from collections.abc import Sequence
from typing import Any

import msgspec

from ovsnp.analysis.explain.nearest import NearMiss
from ovsnp.analysis.explain.needs import (
    Holder,
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
from ovsnp.oracle import NodeEnd, OutsideEnd, PodEnd, Traffic

_KINDS = {PodEnd: "pod", NodeEnd: "node", OutsideEnd: "outside", ClusterIPEnd: "service"}


def document(question: Question, answers: Sequence[Explanation], places: Places) -> dict[str, Any]:
    """The answers to a question, each with the files and lines that decide."""
    return {
        "source": question.source,
        "destination": question.destination,
        "verdict": outcome([answer.outcome for answer in answers]).value,
        "notes": list(question.notes),
        "connections": [_connection(answer, places) for answer in answers],
        "openings": [],
    }


def _connection(answer: Explanation, places: Places) -> dict[str, Any]:
    connection = answer.connection
    return {
        "family": family(connection.source.address),
        "source": end_document(connection.source),
        "destination": end_document(connection.destination),
        **traffic_document(connection.traffic),
        "alike": answer.alike,
        "verdict": answer.outcome.value,
        "nobody": answer.nobody.value if answer.nobody else None,
        "ways": [_way(way, places) for way in answer.ways],
    }


def end_document(end: Destination) -> dict[str, Any]:
    """One end of a connection."""
    return {"kind": _KINDS[type(end)], "name": name_of(end), "address": assigned_text(end.address)}


def traffic_document(traffic: Traffic) -> dict[str, Any]:
    """What a connection carries; both are None where it has no ports."""
    return {"protocol": traffic.protocol.value if traffic.protocol else None, "port": traffic.port}


def _way(way: BackendVerdict, places: Places) -> dict[str, Any]:
    return {
        "destination": end_document(way.query.destination),
        **traffic_document(way.query.traffic),
        "verdict": "allowed" if way.verdict.allowed else "denied",
        "undelivered": way.verdict.undelivered,
        "egress": _side(way.egress, Direction.EGRESS, places),
        "ingress": _side(way.ingress, Direction.INGRESS, places),
    }


def _side(reasons: Reasons, direction: Direction, places: Places) -> dict[str, Any]:
    side = reasons.side
    return {
        "pod": reasons.pod.title if reasons.pod else None,
        "allowed": side.allowed,
        "exempt": side.exempt.value if side.exempt else None,
        "isolated_by": [policy_document(policy, places) for policy in side.isolated_by],
        "admitted_by": [admitting_document(each, places) for each in reasons.admitting],
        "nearest": [miss_document(miss, direction, places) for miss in reasons.nearest],
    }


def policy_document(policy: NetworkPolicy, places: Places) -> dict[str, Any]:
    """A policy that isolates."""
    return {"policy": policy.key, **place_document(places.policy(policy))}


def admitting_document(each: Admitting, places: Places) -> dict[str, Any]:
    """A rule that admits, and the peers and ports of it that match."""
    policy, direction, rule = each.admission.policy, each.admission.direction, each.admission.rule
    return {
        **rule_document(policy, direction, rule, places),
        "peers": [peer_document(policy, direction, rule, item, places) for item in each.peers],
        "ports": [port_document(policy, direction, rule, item, places) for item in each.ports],
    }


def miss_document(miss: NearMiss, direction: Direction, places: Places) -> dict[str, Any]:
    """A rule that came near, and what is lacking."""
    where = miss.policy, direction, miss.rule
    return {
        **rule_document(*where, places),
        "peer": None if miss.peer is None else peer_document(*where, miss.peer, places),
        "port": None if miss.port is None else port_document(*where, miss.port, places),
        "needs": [_need(need) for need in miss.needs],
        "then": None if miss.then is None else "allowed" if miss.then else "denied",
    }


def rule_document(policy: NetworkPolicy, direction: Direction, rule: int, places: Places) -> dict[str, Any]:
    """A rule, and where it stands."""
    return {"policy": policy.key, **place_document(places.rule(policy, direction, rule))}


def peer_document(policy: NetworkPolicy, direction: Direction, rule: int, item: int, places: Places) -> dict[str, Any]:
    """An item of a rule's ``from`` or ``to``."""
    words = peer_words_in(policy.namespace, policy.rules(direction)[rule].peers[item])
    return {**place_document(places.peer(policy, direction, rule, item)), "says": words}


def port_document(policy: NetworkPolicy, direction: Direction, rule: int, item: int, places: Places) -> dict[str, Any]:
    """An item of a rule's ``ports``."""
    words = port_words(policy.rules(direction)[rule].ports[item])
    return {**place_document(places.port(policy, direction, rule, item)), "says": words}


def place_document(field: PolicyField) -> dict[str, Any]:
    """Where a field stands."""
    return {"path": field.path, "file": field.span.file, "line": field.span.line or None}


def _need(need: Need) -> dict[str, Any]:
    kind = {
        Label: "label",
        InNamespace: "namespace",
        ToPort: "port",
        PortName: "port-name",
        RulePort: "rule-port",
        OtherAddress: "address",
        OtherEnd: "end",
    }[type(need)]
    match need:
        case Label():
            details: dict[str, Any] = {
                "of": "pod" if need.holder is Holder.POD else "namespace",
                "name": need.name,
                "key": need.key,
                "value": need.value,
                "now": need.now,
                "any_value": need.anything,
            }
        case OtherAddress():
            excepted = str(need.excepted) if need.excepted else None
            details = {"address": need.address, "cidr": str(need.cidr), "excepted": excepted}
        case OtherEnd():
            details = {}
        case RulePort():
            details = msgspec.to_builtins(need) | {"direction": need.direction.section}
        case _:
            details = msgspec.to_builtins(need)
    return {"kind": kind, "text": need_words(need), **details}
