"""An effect as JSON."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ovsnp.analysis.diff.effect.comparison import Effect, PodChurn
from ovsnp.analysis.diff.effect.lines import EffectLine, NodeWords, Who
from ovsnp.analysis.diff.effect.pod_names import PodTerms
from ovsnp.analysis.diff.effect.ports import TrafficTerms
from ovsnp.analysis.diff.effect.reasons import Reason
from ovsnp.analysis.diff.effect.services import ServiceLine
from ovsnp.document import IPVersion, PortNumber
from ovsnp.model.address import format_address
from ovsnp.model.policy import IPBlock, Section
from ovsnp.model.ports import Protocol

Families = Annotated[Sequence[IPVersion], Meta(min_length=1)]


class EffectPodTerm(msgspec.Struct, frozen=True):
    """Pods by namespace and labels, or one by its name."""

    namespaces: Annotated[str, Meta(description="a name, * for all, or KEY=VALUE, a label of theirs")]
    not_in: Annotated[Sequence[str], Meta(description="namespaces that are not meant")]
    selector: Annotated[str, Meta(description="as kubectl writes it; empty: all")]
    name: Annotated[str | None, Meta(description="of a pod, where no selector tells it from others")]


class EffectPods(msgspec.Struct, frozen=True):
    """The pods of any of the terms."""

    text: str
    all_but: Annotated[bool, Meta(description="all pods but those that a term means")]
    terms: Sequence[EffectPodTerm]


class EffectNode(msgspec.Struct, frozen=True):
    """A node, or some of its addresses."""

    name: str
    addresses: Annotated[Sequence[str], Meta(description="empty: all it has")]


class EffectBlock(msgspec.Struct, frozen=True, rename={"excepts": "except"}):
    """A block of addresses without some of its parts."""

    cidr: str
    excepts: Sequence[str]


class EffectEnds(msgspec.Struct, frozen=True):
    """Pods, nodes and addresses outside."""

    text: str
    everyone: Annotated[bool, Meta(description="then the others are empty")]
    pods: EffectPods | None
    on_node: Annotated[str | None, Meta(description="of the pods, those on this node only; null: all")]
    nodes: Literal["all"] | Sequence[EffectNode]
    outside: Annotated[
        Literal["all"] | Sequence[EffectBlock], Meta(description="addresses that no pod and no node has")
    ]


class EffectPortRange(msgspec.Struct, frozen=True):
    """Ports of one protocol, first and last included."""

    protocol: Annotated[Protocol | None, Meta(description="null: all that has no ports")]
    first: PortNumber | None
    last: PortNumber | None


class EffectPorts(msgspec.Struct, frozen=True):
    """The traffic of any of the ranges."""

    text: str
    all_but: Annotated[bool, Meta(description="all traffic but these; without ranges: all traffic")]
    ranges: Sequence[EffectPortRange]


class EffectReason(msgspec.Struct, frozen=True):
    """A rule that admits, or a policy that isolates."""

    policy: Annotated[str, Meta(description="NAMESPACE/NAME")]
    direction: Section
    rule: Annotated[str | None, Meta(description="the rule that admits; null: the policy isolates")]
    gone: Annotated[bool, Meta(description="it does no longer")]


class EffectConnections(msgspec.Struct, frozen=True):
    """Each source to each destination, but never a pod to itself nor what no policy can forbid."""

    families: Families
    sources: EffectEnds
    destinations: EffectEnds
    ports: EffectPorts
    reasons: Sequence[EffectReason]


class EffectEndpoint(msgspec.Struct, frozen=True):
    """An endpoint of a Service."""

    address: str
    port: int


class EffectService(msgspec.Struct, frozen=True):
    """What pods reach through a Service."""

    families: Families
    sources: EffectPods
    service: Annotated[str, Meta(description="NAMESPACE/NAME")]
    port: Annotated[str, Meta(description="80/tcp")]
    itself: Annotated[bool, Meta(description="each source is served by itself; endpoints is empty then")]
    served_by: Annotated[str, Meta(description="the endpoints in words")]
    endpoints: Sequence[EffectEndpoint]


class EffectServices(msgspec.Struct, frozen=True):
    """What pods gain and lose through Services."""

    gained: Sequence[EffectService]
    lost: Sequence[EffectService]


class EffectPodNames(msgspec.Struct, frozen=True):
    """Pods by their names."""

    text: str
    names: Annotated[Sequence[str], Meta(description="NAMESPACE/NAME")]


class EffectPodChanges(msgspec.Struct, frozen=True):
    """Pods that come, go or get another address."""

    new: EffectPodNames
    gone: EffectPodNames
    moved: EffectPodNames


class EffectDocument(msgspec.Struct, frozen=True):
    """What is gained and lost; keys may be added in later versions, never changed."""

    differences: bool
    gained: Sequence[EffectConnections]
    lost: Sequence[EffectConnections]
    services: Annotated[
        EffectServices,
        Meta(description="what pods gain and lose through Services, where `gained` and `lost` do not tell it"),
    ]
    pods: Annotated[
        EffectPodChanges,
        Meta(
            description="pods in one of the two only, or with another address: nothing else is about these (but an"
            " address that stays)"
        ),
    ]


def document(effect: Effect) -> EffectDocument:
    """The whole effect."""
    return EffectDocument(
        differences=bool(effect),
        gained=[_connections(line) for line in effect.lines if line.gained],
        lost=[_connections(line) for line in effect.lines if not line.gained],
        services=EffectServices(
            gained=[_service(line) for line in effect.services if line.gained],
            lost=[_service(line) for line in effect.services if not line.gained],
        ),
        pods=EffectPodChanges(_names(effect.pods_new), _names(effect.pods_gone), _names(effect.pods_moved)),
    )


def _connections(line: EffectLine) -> EffectConnections:
    return EffectConnections(
        families=line.families,
        sources=_ends(line.sources),
        destinations=_ends(line.destinations),
        ports=_ports(line.ports),
        reasons=[_reason(each) for each in line.reasons],
    )


def _ends(who: Who) -> EffectEnds:
    return EffectEnds(
        text=str(who),
        everyone=who.everyone,
        pods=_pods(who.pods) if who.pods else None,
        on_node=who.on,
        nodes="all" if who.all_nodes else _nodes(who.nodes),
        outside="all" if who.outside else _blocks(who.blocks),
    )


def _pods(pods: PodTerms) -> EffectPods:
    terms = [EffectPodTerm(term.scope, term.beside, str(term.selector), term.name) for term in pods.terms]
    return EffectPods(str(pods), pods.but, terms)


def _nodes(nodes: Iterable[NodeWords]) -> list[EffectNode]:
    return [EffectNode(node.name, [*map(format_address, node.addresses)]) for node in nodes]


def _blocks(blocks: Iterable[IPBlock]) -> list[EffectBlock]:
    return [EffectBlock(str(block.cidr), [*map(str, block.excepts)]) for block in blocks]


def _ports(ports: TrafficTerms) -> EffectPorts:
    ranges = [
        EffectPortRange(each.protocol, max(each.first, 1), each.last)
        if each.protocol
        else EffectPortRange(None, None, None)
        for each in ports.ranges
    ]
    return EffectPorts(str(ports), ports.but, ranges)


def _reason(reason: Reason) -> EffectReason:
    section = reason.direction.section
    rule = None if reason.rule is None else f"{section}[{reason.rule}]"
    return EffectReason(reason.policy, section, rule, reason.gone)


def _service(line: ServiceLine) -> EffectService:
    return EffectService(
        families=line.families,
        sources=_pods(line.sources),
        service=line.service,
        port=line.port,
        itself=line.itself,
        served_by=line.served_by,
        endpoints=[EffectEndpoint(format_address(each.address), each.port) for each in sorted(line.endpoints)],
    )


def _names(churn: PodChurn | None) -> EffectPodNames:
    return EffectPodNames(str(churn.words), churn.keys) if churn else EffectPodNames("", ())
