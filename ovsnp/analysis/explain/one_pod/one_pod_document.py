"""The answer about one pod as JSON."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from ovsnp.analysis.explain.documents import (
    AdmittingRule,
    FieldLine,
    FieldPath,
    FileName,
    NamedPorts,
    Needs,
    PlacedPolicy,
    RuleItem,
    Then,
)
from ovsnp.analysis.explain.explanation_document import (
    miss_document,
    peer_document,
    policy_document,
    port_document,
    rule_document,
)
from ovsnp.analysis.explain.one_pod.one_pod import SHOWN, Near, OnePod, PodRule, PodSide, ReachedParty
from ovsnp.analysis.explain.openings.openings_document import ports_document
from ovsnp.analysis.reach.parties import PartyKind
from ovsnp.analysis.wording.places import Places
from ovsnp.document import Count, IPVersion, ObjectKey, PortNumber
from ovsnp.model.policy import Section
from ovsnp.model.ports import Protocol
from ovsnp.model.unassigned import assigned_text
from ovsnp.oracle import Exemption


class NamedPort(msgspec.Struct, frozen=True):
    """A named port of the pod."""

    name: str
    protocol: Protocol
    port: PortNumber


class ExplainedPodRule(AdmittingRule, frozen=True):
    """A rule of a policy that isolates the pod."""

    admits: Annotated[Sequence[str] | None, Meta(description="the ends that the rule admits; null: everyone")]


class MetFamily(msgspec.Struct, frozen=True):
    """The ports that policies allow in one address family."""

    family: IPVersion
    allowed: Sequence[NamedPorts]


class MetParty(msgspec.Struct, frozen=True):
    """An end that reaches the pod, or that the pod reaches."""

    name: Annotated[str, Meta(description="the name of the row in the matrix")]
    kind: PartyKind
    exempt: Annotated[Exemption | None, Meta(description="why policies do not decide; null: they decide")]
    wholly: Annotated[bool, Meta(description="true: exempt for all members; false: for some of them, or none")]
    families: Sequence[MetFamily]


class NearParty(msgspec.Struct, frozen=True):
    """An end that a rule nearly lets reach the pod, or the pod reach, and this rule."""

    name: Annotated[str, Meta(description="the end, with which no connection is allowed")]
    direction: Annotated[
        Section, Meta(description="the direction of the rule, in a policy of the pod or of the other end")
    ]
    policy: ObjectKey
    path: FieldPath
    file: FileName
    line: FieldLine
    peer: RuleItem | None
    port: RuleItem | None
    needs: Needs
    then: Then


class ExplainedPodSide(msgspec.Struct, frozen=True):
    """One direction of the pod: policies, rules, and the other ends."""

    isolated_by: Sequence[PlacedPolicy]
    rules: Sequence[ExplainedPodRule]
    met: Annotated[
        Sequence[MetParty],
        Meta(description="the ends that reach the pod, or that the pod reaches; policies deny all others"),
    ]
    near: Annotated[Sequence[NearParty], Meta(max_length=SHOWN)]
    left_out: Annotated[Count, Meta(description="the number of further ends that may be near")]


class ExplainPodDocument(msgspec.Struct, frozen=True):
    """One pod; later versions may add keys, and never change a key."""

    pod: str
    node: Annotated[str | None, Meta(description="null: the manifests name no node")]
    addresses: Annotated[Sequence[str], Meta(min_length=1)]
    workload: Annotated[str | None, Meta(description="KIND/NAMESPACE/NAME of the topmost owner")]
    labels: Mapping[str, str]
    named_ports: Sequence[NamedPort]
    ingress: ExplainedPodSide
    egress: ExplainedPodSide


def one_pod_document(answer: OnePod, places: Places) -> ExplainPodDocument:
    """The pod and both directions, each policy and rule with its file and line."""
    pod = answer.pod
    return ExplainPodDocument(
        pod=pod.title,
        node=pod.node,
        addresses=[*filter(None, map(assigned_text, pod.addresses))],
        workload=pod.workload.key if pod.workload else None,
        labels=dict(sorted(pod.labels.items())),
        named_ports=[NamedPort(port.name, port.protocol, port.number) for port in pod.ports],
        ingress=_side(answer.ingress, places),
        egress=_side(answer.egress, places),
    )


def _side(side: PodSide, places: Places) -> ExplainedPodSide:
    return ExplainedPodSide(
        isolated_by=[policy_document(policy, places) for policy in side.isolated_by],
        rules=[_rule(rule, places) for rule in side.rules],
        met=[_met(met) for met in side.met],
        near=[_near(near, places) for near in side.near],
        left_out=side.left_out,
    )


def _rule(rule: PodRule, places: Places) -> ExplainedPodRule:
    policy, direction, index = rule.admission.policy, rule.admission.direction, rule.admission.rule
    where, written = (policy, direction, index), policy.rules(direction)[index]
    return ExplainedPodRule(
        **msgspec.structs.asdict(rule_document(*where, places)),
        peers=[peer_document(*where, item, places) for item in range(len(written.peers))],
        ports=[port_document(*where, item, places) for item in range(len(written.ports))],
        admits=None if rule.parties is None else [party.name for party in rule.parties],
    )


def _met(met: ReachedParty) -> MetParty:
    return MetParty(
        name=met.party.name,
        kind=met.party.kind,
        exempt=met.exempt,
        wholly=met.wholly,
        families=[MetFamily(version, ports_document(ports, met.names)) for version, ports in met.ports.items()],
    )


def _near(near: Near, places: Places) -> NearParty:
    miss = msgspec.structs.asdict(miss_document(near.miss, near.side, places))
    return NearParty(name=near.party.name, direction=near.side.section, **miss)
