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
EndName = Annotated[str, Meta(description="a name that the command line takes")]
CarriedProtocol = Annotated[Protocol | None, Meta(description="null: a protocol without ports")]
Alike = Annotated[int, Meta(ge=1)]
Undelivered = Annotated[bool, Meta(description="true: multicast or broadcast, which no pod receives")]
OwnPod = Annotated[str | None, Meta(description="null: a node or an address outside, which have no policies")]
FieldPath = Annotated[str, Meta(description="the path of the field in the object; empty: the object")]
FileName = Annotated[str, Meta(description="- is stdin")]
FieldLine = Annotated[LineNumber | None, Meta(description="null: the file no longer exists")]


class ExplainedEnd(msgspec.Struct, frozen=True):
    """One end of a connection."""

    kind: EndKind
    name: EndName
    address: Annotated[str | None, Meta(description="null: the pod has no address yet")]


class RuleItem(msgspec.Struct, frozen=True):
    """An item of a rule's from, to or ports."""

    path: FieldPath
    file: FileName
    line: FieldLine
    says: Annotated[str, Meta(description="the item in words")]


class PlacedPolicy(msgspec.Struct, frozen=True):
    """A policy or a rule, with file and line."""

    policy: ObjectKey
    path: FieldPath
    file: FileName
    line: FieldLine


class AdmittingRule(PlacedPolicy, frozen=True):
    """A rule that admits the connection, with the matching peers and ports."""

    peers: Sequence[RuleItem]
    ports: Sequence[RuleItem]


class LabelNeed(msgspec.Struct, frozen=True, tag_field="kind", tag="label"):
    """A pod or namespace needs another label."""

    text: str
    of: Holder
    name: str
    key: str
    value: Annotated[str | None, Meta(description="null: the label must go")]
    now: str | None
    any_value: bool


class NamespaceNeed(msgspec.Struct, frozen=True, tag_field="kind", tag="namespace"):
    """A pod needs to be in another namespace."""

    text: str
    pod: str
    namespace: str
    only: Annotated[bool, Meta(description="true: no other namespace matches")]


class PortNeed(msgspec.Struct, frozen=True, tag_field="kind", tag="port"):
    """The connection needs another port of the destination."""

    text: str
    protocol: Protocol
    first: PortNumber
    last: PortNumber
    by: Annotated[str, Meta(description="the port of the Service that leads to this port; empty: without a Service")]


class RulePortNeed(msgspec.Struct, frozen=True, tag_field="kind", tag="rule-port"):
    """The rule needs the port at which the pods behind a Service listen."""

    text: str
    policy: str
    direction: Section
    rule: Count
    protocol: Protocol
    number: Annotated[PortNumber, Meta(description="the port at which the pods listen; policies see this port")]
    service: str


class PortNameNeed(msgspec.Struct, frozen=True, tag_field="kind", tag="port-name"):
    """A container of the pod needs a port with this name."""

    text: str
    pod: str
    name: str
    protocol: Protocol
    number: PortNumber


class AddressNeed(msgspec.Struct, frozen=True, tag_field="kind", tag="address"):
    """The block does not match the address of the end; no change of a label or port helps."""

    text: str
    address: str
    cidr: str
    excepted: Annotated[
        str | None, Meta(description="the exception that holds the address; null: the address is outside the block")
    ]


class EndNeed(msgspec.Struct, frozen=True, tag_field="kind", tag="end"):
    """The item never matches an end such as this; no change of a label or port helps."""

    text: str


AnyNeed = LabelNeed | NamespaceNeed | PortNeed | RulePortNeed | PortNameNeed | AddressNeed | EndNeed

Needs = Annotated[Sequence[AnyNeed], Meta(min_length=1)]
Then = Annotated[
    Decision | None,
    Meta(description="the verdict on the connection once all needs are met; null: one of them cannot be met"),
]


class NearRule(PlacedPolicy, frozen=True):
    """A rule that nearly matches, and what the connection lacks."""

    peer: RuleItem | None
    port: RuleItem | None
    needs: Needs
    then: Then


class ExplainedSide(msgspec.Struct, frozen=True):
    """The verdict of the policies of one end."""

    pod: OwnPod
    allowed: bool
    exempt: Exemption | None
    isolated_by: Sequence[PlacedPolicy]
    admitted_by: Sequence[AdmittingRule]
    nearest: Sequence[NearRule]


class ExplainedWay(msgspec.Struct, frozen=True):
    """A connection as policies judge it: to a pod, a node or an address outside."""

    destination: Annotated[ExplainedEnd, Meta(description="of a connection to a Service: the backend")]
    protocol: CarriedProtocol
    port: Annotated[PortNumber | None, Meta(description="of a connection to a Service: the port of the backend")]
    verdict: Decision
    undelivered: Undelivered
    egress: ExplainedSide
    ingress: ExplainedSide


class ExplainedConnection(msgspec.Struct, frozen=True):
    """A connection to one port; to a Service, with one way for each backend."""

    family: IPVersion
    source: ExplainedEnd
    destination: ExplainedEnd
    protocol: CarriedProtocol
    port: PortNumber | None
    alike: Annotated[Alike, Meta(description="of several pods: connections to this port that have this verdict")]
    verdict: Outcome
    nobody: Nobody | None
    ways: Sequence[ExplainedWay]


class NamedPorts(msgspec.Struct, frozen=True):
    """A range of ports of one protocol."""

    protocol: Protocol
    first: PortNumber
    last: Annotated[PortNumber, Meta(description="the last port of the range, included")]
    name: Annotated[str | None, Meta(description="the name that the destination has for a single port")]


class OpeningRule(AdmittingRule, frozen=True):
    """A rule with a peer that matches the other end, and the ports that the rule allows there."""

    allows: Sequence[NamedPorts]


class OpeningSide(msgspec.Struct, frozen=True):
    """The verdict of the policies of one end on all ports."""

    pod: OwnPod
    allowed: Sequence[NamedPorts]
    denied: Sequence[NamedPorts]
    exempt: Exemption | None
    isolated_by: Sequence[PlacedPolicy]
    admitted_by: Sequence[OpeningRule]
    nearest: Sequence[NearRule]


class ExplainedOpening(msgspec.Struct, frozen=True):
    """The ports that one end may open to another, in one address family."""

    family: IPVersion
    source: ExplainedEnd
    destination: ExplainedEnd
    alike: Annotated[Alike, Meta(description="the number of pairs of addresses with this answer")]
    verdict: Annotated[Outcome, Meta(description="mixed: some ports are allowed, others are denied")]
    allowed: Sequence[NamedPorts]
    denied: Sequence[NamedPorts]
    undelivered: Undelivered
    nobody: Literal["no-service"] | None
    egress: OpeningSide | None
    ingress: OpeningSide | None


class ExplainDocument(msgspec.Struct, frozen=True):
    """Whether one end may connect to another, and why; later versions may add keys, and never change a key."""

    source: Annotated[str, Meta(description="the full name of SRC")]
    destination: Annotated[str, Meta(description="the full name of DST")]
    verdict: Annotated[Outcome, Meta(description="the verdict on all connections, or all ports, together")]
    notes: Annotated[Sequence[str], Meta(description="what the answer assumes")]
    connections: Annotated[
        Sequence[ExplainedConnection], Meta(description="the answers with PORT, or to a Service; otherwise empty")
    ]
    openings: Annotated[
        Sequence[ExplainedOpening],
        Meta(description="without PORT: the ports that are allowed, for each address family; otherwise empty"),
    ]


_ONE_OF_TWO = [{"properties": {name: {"minItems": 1}}} for name in ("connections", "openings")]
ExplainAnswer = Annotated[ExplainDocument, Meta(extra_json_schema={"anyOf": _ONE_OF_TWO})]
"""Connections or openings: there is always something to explain."""
