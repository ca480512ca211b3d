"""The parts of an explanation as JSON."""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ovsnp.analysis.explain.needs import Holder
from ovsnp.analysis.explain.reasons import Nobody, Outcome
from ovsnp.document import Count, IPVersion, LineNumber, ObjectKey, PortNumber
from ovsnp.model.policy import Section
from ovsnp.model.ports import Protocol
from ovsnp.oracle import Exemption

Decision = Literal["allowed", "denied"]
EndKind = Literal["pod", "node", "outside", "service"]
EndName = Annotated[str, Meta(description="as it may be written on the command line")]
CarriedProtocol = Annotated[Protocol | None, Meta(description="null: one that has no ports")]
Alike = Annotated[int, Meta(ge=1)]
Undelivered = Annotated[bool, Meta(description="multicast or broadcast: nobody gets it")]
OwnPod = Annotated[str | None, Meta(description="null: a node or an outsider, which have no policies")]
FieldPath = Annotated[str, Meta(description="the field; empty: the object")]
FileName = Annotated[str, Meta(description="- is stdin")]
FieldLine = Annotated[LineNumber | None, Meta(description="null: the file is not there any more")]


class ExplainedEnd(msgspec.Struct, frozen=True):
    """One end of a connection."""

    kind: EndKind
    name: EndName
    address: Annotated[str | None, Meta(description="null: not assigned yet")]


class RuleItem(msgspec.Struct, frozen=True):
    """An item of a rule's from, to or ports."""

    path: FieldPath
    file: FileName
    line: FieldLine
    says: Annotated[str, Meta(description="the item in words")]


class PlacedPolicy(msgspec.Struct, frozen=True):
    """A policy, or one of its rules, and where it stands."""

    policy: ObjectKey
    path: FieldPath
    file: FileName
    line: FieldLine


class AdmittingRule(PlacedPolicy, frozen=True):
    """A rule that admits, with the peers and ports of it that match."""

    peers: Sequence[RuleItem]
    ports: Sequence[RuleItem]


class LabelNeed(msgspec.Struct, frozen=True, tag_field="kind", tag="label"):
    """A label of a pod or namespace."""

    text: str
    of: Holder
    name: str
    key: str
    value: Annotated[str | None, Meta(description="null: to be removed")]
    now: str | None
    any_value: bool


class NamespaceNeed(msgspec.Struct, frozen=True, tag_field="kind", tag="namespace"):
    """Another namespace for a pod."""

    text: str
    pod: str
    namespace: str
    only: Annotated[bool, Meta(description="no other namespace would do")]


class PortNeed(msgspec.Struct, frozen=True, tag_field="kind", tag="port"):
    """Another port of the destination."""

    text: str
    protocol: Protocol
    first: PortNumber
    last: PortNumber
    by: Annotated[str, Meta(description="the port of the Service that leads there; empty: without a Service")]


class RulePortNeed(msgspec.Struct, frozen=True, tag_field="kind", tag="rule-port"):
    """A port in the rule, at which pods listen behind a Service."""

    text: str
    policy: str
    direction: Section
    rule: Count
    protocol: Protocol
    number: Annotated[PortNumber, Meta(description="at which pods listen, as policies see it")]
    service: str


class PortNameNeed(msgspec.Struct, frozen=True, tag_field="kind", tag="port-name"):
    """A name for a container's port."""

    text: str
    pod: str
    name: str
    protocol: Protocol
    number: PortNumber


class AddressNeed(msgspec.Struct, frozen=True, tag_field="kind", tag="address"):
    """Another address: nobody can do anything about it."""

    text: str
    address: str
    cidr: str
    excepted: Annotated[str | None, Meta(description="the part of the block that holds the address")]


class EndNeed(msgspec.Struct, frozen=True, tag_field="kind", tag="end"):
    """Another end: nobody can do anything about it."""

    text: str


AnyNeed = LabelNeed | NamespaceNeed | PortNeed | RulePortNeed | PortNameNeed | AddressNeed | EndNeed

Needs = Annotated[Sequence[AnyNeed], Meta(min_length=1)]
Then = Annotated[Decision | None, Meta(description="the connection once all is done; null: not all of it can be")]


class NearRule(PlacedPolicy, frozen=True):
    """A rule that came near, and what is lacking."""

    peer: RuleItem | None
    port: RuleItem | None
    needs: Needs
    then: Then


class ExplainedSide(msgspec.Struct, frozen=True):
    """What one end's policies say."""

    pod: OwnPod
    allowed: bool
    exempt: Exemption | None
    isolated_by: Sequence[PlacedPolicy]
    admitted_by: Sequence[AdmittingRule]
    nearest: Sequence[NearRule]


class ExplainedWay(msgspec.Struct, frozen=True):
    """A connection as policies judge it."""

    destination: Annotated[ExplainedEnd, Meta(description="of a Service: the backend")]
    protocol: CarriedProtocol
    port: Annotated[PortNumber | None, Meta(description="of a Service: the backend's")]
    verdict: Decision
    undelivered: Undelivered
    egress: ExplainedSide
    ingress: ExplainedSide


class ExplainedConnection(msgspec.Struct, frozen=True):
    """A connection to one port; of a Service there is a way to each of the backends."""

    family: IPVersion
    source: ExplainedEnd
    destination: ExplainedEnd
    protocol: CarriedProtocol
    port: PortNumber | None
    alike: Annotated[Alike, Meta(description="of several pods: how many connections to this port have this verdict")]
    verdict: Outcome
    nobody: Nobody | None
    ways: Sequence[ExplainedWay]


class NamedPorts(msgspec.Struct, frozen=True):
    """Ports of one protocol in a row."""

    protocol: Protocol
    first: PortNumber
    last: Annotated[PortNumber, Meta(description="included")]
    name: Annotated[str | None, Meta(description="what the destination calls a single port")]


class OpeningRule(AdmittingRule, frozen=True):
    """A rule that names the far end, and the ports that it allows there."""

    allows: Sequence[NamedPorts]


class OpeningSide(msgspec.Struct, frozen=True):
    """What one end's policies say of all ports."""

    pod: OwnPod
    allowed: Sequence[NamedPorts]
    denied: Sequence[NamedPorts]
    exempt: Exemption | None
    isolated_by: Sequence[PlacedPolicy]
    admitted_by: Sequence[OpeningRule]
    nearest: Sequence[NearRule]


class ExplainedOpening(msgspec.Struct, frozen=True):
    """What one end may open to another, by one address family."""

    family: IPVersion
    source: ExplainedEnd
    destination: ExplainedEnd
    alike: Annotated[Alike, Meta(description="of how many pairs of addresses this is the answer")]
    verdict: Annotated[Outcome, Meta(description="mixed: some ports are allowed, and some are not")]
    allowed: Sequence[NamedPorts]
    denied: Sequence[NamedPorts]
    undelivered: Undelivered
    nobody: Literal["no-service"] | None
    egress: OpeningSide | None
    ingress: OpeningSide | None


class ExplainDocument(msgspec.Struct, frozen=True):
    """Whether one end may connect to another, and why; keys may be added in later versions, never changed."""

    source: Annotated[str, Meta(description="SRC by its full name")]
    destination: Annotated[str, Meta(description="DST by its full name")]
    verdict: Annotated[Outcome, Meta(description="of all connections, or all ports, together")]
    notes: Annotated[Sequence[str], Meta(description="what the answer takes for granted")]
    connections: Annotated[Sequence[ExplainedConnection], Meta(description="with PORT, and of a Service; else empty")]
    openings: Annotated[
        Sequence[ExplainedOpening],
        Meta(description="without PORT: what is allowed, for each address family; else empty"),
    ]


_ONE_OF_TWO = [{"properties": {name: {"minItems": 1}}} for name in ("connections", "openings")]
ExplainAnswer = Annotated[ExplainDocument, Meta(extra_json_schema={"anyOf": _ONE_OF_TWO})]
"""Connections or openings: there is always something to explain."""
