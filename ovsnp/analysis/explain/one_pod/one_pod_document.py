"""All about one pod as JSON; docs/explain-pod.schema.json is its schema."""

from typing import Any

from ovsnp.analysis.explain.explanation_document import (
    miss_document,
    peer_document,
    policy_document,
    port_document,
    rule_document,
)
from ovsnp.analysis.explain.one_pod.one_pod import Near, OnePod, PodRule, PodSide, ReachedParty
from ovsnp.analysis.explain.openings.openings_document import ports_document
from ovsnp.analysis.wording.places import Places
from ovsnp.model.unassigned import assigned_text


def one_pod_document(answer: OnePod, places: Places) -> dict[str, Any]:
    """The pod and both directions, each policy and rule with its file and line."""
    pod = answer.pod
    return {
        "pod": pod.title,
        "node": pod.node,
        "addresses": [*filter(None, map(assigned_text, pod.addresses))],
        "workload": pod.workload.key if pod.workload else None,
        "labels": dict(sorted(pod.labels.items())),
        "named_ports": [
            {"name": port.name, "protocol": port.protocol.value, "port": port.number} for port in pod.ports
        ],
        "ingress": _side(answer.ingress, places),
        "egress": _side(answer.egress, places),
    }


def _side(side: PodSide, places: Places) -> dict[str, Any]:
    return {
        "isolated_by": [policy_document(policy, places) for policy in side.isolated_by],
        "rules": [_rule(rule, places) for rule in side.rules],
        "met": [_met(met) for met in side.met],
        "near": [_near(near, places) for near in side.near],
        "left_out": side.left_out,
    }


def _rule(rule: PodRule, places: Places) -> dict[str, Any]:
    policy, direction, index = rule.admission.policy, rule.admission.direction, rule.admission.rule
    where, written = (policy, direction, index), policy.rules(direction)[index]
    return {
        **rule_document(*where, places),
        "peers": [peer_document(*where, item, places) for item in range(len(written.peers))],
        "ports": [port_document(*where, item, places) for item in range(len(written.ports))],
        "admits": None if rule.parties is None else [party.name for party in rule.parties],
    }


def _met(met: ReachedParty) -> dict[str, Any]:
    return {
        "name": met.party.name,
        "kind": met.party.kind.value,
        "exempt": met.exempt.value if met.exempt else None,
        "wholly": met.wholly,
        "families": [
            {"family": version, "allowed": ports_document(ports, met.names)} for version, ports in met.ports.items()
        ],
    }


def _near(near: Near, places: Places) -> dict[str, Any]:
    return {
        "name": near.party.name,
        "direction": near.side.section,
        **miss_document(near.miss, near.side, places),
    }
