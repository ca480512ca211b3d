"""The effect of a change as JSON."""

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
    """Pods by namespace and labels, or one pod by name."""

    namespaces: Annotated[str, Meta(description="a name; * for all; KEY=VALUE for the namespaces with this label")]
    not_in: Annotated[Sequence[str], Meta(description="namespaces that do not count")]
    selector: Annotated[str, Meta(description="in the notation of kubectl; empty: all pods")]
    name: Annotated[str | None, Meta(description="the name of a pod, where no selector selects this pod alone")]


class EffectPods(msgspec.Struct, frozen=True):
    """The pods that at least one of the terms names."""

    text: str
    all_but: Annotated[bool, Meta(description="true: all pods except the pods of the terms")]
    terms: Sequence[EffectPodTerm]


class EffectNode(msgspec.Struct, frozen=True):
    """A node, or some of its addresses."""

    name: str
    addresses: Annotated[Sequence[str], Meta(description="empty: all addresses of the node")]


class EffectBlock(msgspec.Struct, frozen=True, rename={"excepts": "except"}):
    """A block of addresses, with exceptions."""

    cidr: str
    excepts: Sequence[str]


class EffectEnds(msgspec.Struct, frozen=True):
    """Pods, nodes and addresses outside."""

    text: str
    everyone: Annotated[bool, Meta(description="true: all ends; the other keys are empty")]
    pods: EffectPods | None
    on_node: Annotated[str | None, Meta(description="the node on which the pods run; null: all nodes")]
    nodes: Literal["all"] | Sequence[EffectNode]
    outside: Annotated[
        Literal["all"] | Sequence[EffectBlock], Meta(description="addresses that no pod and no node has")
    ]


class EffectPortRange(msgspec.Struct, frozen=True):
    """Ports of one protocol, first and last included."""

    protocol: Annotated[Protocol | None, Meta(description="null: all protocols without ports")]
    first: PortNumber | None
    last: PortNumber | None


class EffectPorts(msgspec.Struct, frozen=True):
    """The traffic of the ranges."""

    text: str
    all_but: Annotated[bool, Meta(description="true: all traffic except the ranges; without ranges: all traffic")]
    ranges: Sequence[EffectPortRange]


class EffectReason(msgspec.Struct, frozen=True):
    """A rule that admits connections, or a policy that isolates pods."""

    policy: Annotated[str, Meta(description="NAMESPACE/NAME")]
    direction: Section
    rule: Annotated[str | None, Meta(description="the rule that admits; null: the policy isolates")]
    gone: Annotated[bool, Meta(description="true: the rule no longer admits, or the policy no longer isolates")]


class EffectConnections(msgspec.Struct, frozen=True):
    """Each source to each destination, except a pod to itself, and connections that no policy can forbid."""

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
    """Connections of pods through a Service."""

    families: Families
    sources: EffectPods
    service: Annotated[str, Meta(description="NAMESPACE/NAME")]
    port: Annotated[str, Meta(description="the port of the Service, such as 80/tcp")]
    itself: Annotated[
        bool, Meta(description="true: the endpoint of each source is the source itself, and endpoints is empty")
    ]
    served_by: Annotated[str, Meta(description="the endpoints in words")]
    endpoints: Sequence[EffectEndpoint]


class EffectServices(msgspec.Struct, frozen=True):
    """The connections that pods gain and lose through Services."""

    gained: Sequence[EffectService]
    lost: Sequence[EffectService]


class EffectPodNames(msgspec.Struct, frozen=True):
    """Pods by name."""

    text: str
    names: Annotated[Sequence[str], Meta(description="NAMESPACE/NAME")]


class EffectPodChanges(msgspec.Struct, frozen=True):
    """Pods that come, go or get another address."""

    new: EffectPodNames
    gone: EffectPodNames
    moved: EffectPodNames


class EffectDocument(msgspec.Struct, frozen=True):
    """The connections that a change gains and loses; later versions may add keys, and never change a key."""

    differences: bool
    gained: Sequence[EffectConnections]
    lost: Sequence[EffectConnections]
    services: Annotated[
        EffectServices,
        Meta(description="gains and losses of pods through Services, where `gained` and `lost` do not have them"),
    ]
    pods: Annotated[
        EffectPodChanges,
        Meta(
            description="pods in one of the two states only, or with another address; the other keys do not count these"
            " pods (but do count an address that stays)"
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
