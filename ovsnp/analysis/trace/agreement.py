"""Compares the path of a packet with the verdict of the policies on its connection."""

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv6Address

import msgspec

from ovsnp.analysis.explain.reasons import BackendVerdict as Judged
from ovsnp.analysis.explain.reasons import Explanation, Reasons
from ovsnp.analysis.naming.ends import name_of
from ovsnp.analysis.trace.drift import drift
from ovsnp.analysis.trace.judged import judged
from ovsnp.analysis.trace.nodes import TracedNode, bridge_of
from ovsnp.analysis.trace.packet_path import Fate, PacketPath
from ovsnp.analysis.trace.steps import TraceStep
from ovsnp.ir.ruleset import RuleRef
from ovsnp.model.address import format_address, host_prefix
from ovsnp.model.cluster import Cluster
from ovsnp.oracle import Endpoint, OutsideEnd, PodEnd


class Traced(msgspec.Struct, frozen=True):
    """The path of a connection's first packet, and the answer of the policies.

    ``steps`` are the steps of each stretch. ``against`` are sentences: how the path contradicts the answer, and what
    may have caused it.
    """

    answer: Explanation
    way: PacketPath
    steps: tuple[tuple[TraceStep, ...], ...]
    against: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        """True if the bridges do what the policies say."""
        return not self.against


def compare(cluster: Cluster, nodes: Mapping[str | None, TracedNode], traced: Traced) -> Traced:
    """The path, with the contradictions to its answer and their possible causes."""
    found = list(_against(cluster, traced))
    if found:
        found += _reasons(nodes, traced)
    return msgspec.structs.replace(traced, against=tuple(found))


def _against(cluster: Cluster, traced: Traced) -> Iterator[str]:
    answer, way = traced.answer, traced.way
    said = judged(answer, way)
    if said is None:
        yield from _nobody(answer, way)
        return
    allowed = _allowed(cluster, said, way)
    half = " on the source's side" if way.rest else " on the destination's side" if way.before else ""
    if allowed and way.fate is Fate.DROPPED:
        yield f"the policies allow it{half}, and the bridges drop it: {way.words}"
    elif allowed and way.fate is Fate.ASTRAY:
        yield f"the policies allow it{half}, and the bridges send it elsewhere: {way.words}"
    elif not allowed and way.fate is not Fate.DROPPED:
        yield f"the policies deny it{half}, and the bridges let it through"
    else:
        yield from _by_another_side(said, way, traced.steps)
    yield from _by_other_rules(said, traced.steps)


def _allowed(cluster: Cluster, said: Judged, way: PacketPath) -> bool:
    """True if the packet should come through, as far as it was traced."""
    source, destination = said.query.source, said.query.destination
    egress = way.before is not None or (said.egress.side.allowed and not _held_by_nobody(cluster, source))
    nobody = _held_by_nobody(cluster, destination) or _is_link_local(destination)
    ingress = way.rest is not None or (said.ingress.side.allowed and not nobody)
    return egress and ingress and not said.verdict.undelivered


def _by_another_side(said: Judged, way: PacketPath, steps: Sequence[Sequence[TraceStep]]) -> Iterator[str]:
    """The contradictions of a packet that is rightly dropped, but not on the side that denies it."""
    last = [step for step in steps[-1] if not step.visit.depth][-1]
    if way.fate is not Fate.DROPPED:
        return
    for table, reasons, side in (("EgressRule", said.egress, "source"), ("IngressRule", said.ingress, "destination")):
        if last.table == table and reasons.side.allowed:
            yield f"the policies allow it on the {side}'s side, and {table} drops it"
    passed = any(step.table == "Forward" for step in steps[0])
    if passed and way.before is None and not said.egress.side.allowed:
        yield "the policies deny it on the source's side, and it came past there"


def _nobody(answer: Explanation, way: PacketPath) -> Iterator[str]:
    """The contradictions of a connection to a cluster IP that got none of the backends."""
    if way.backend is not None:
        end, port = way.backend
        yield f"it was given {name_of(end)} at port {port}, which is no endpoint of the Service for this client"
    elif way.fate is not Fate.DROPPED:
        yield "nobody serves there, and the bridges send it on"
    elif any(one.verdict.allowed for one in answer.ways):
        yield "the policies allow it to some endpoint, and the bridges drop it before it is given one"


def _is_link_local(end: Endpoint) -> bool:
    """True for a link-local IPv6 address (RFC 4291): bridges do not forward packets to it."""
    return len(end.address) == 16 and IPv6Address(end.address).is_link_local


def _held_by_nobody(cluster: Cluster, end: Endpoint) -> bool:
    """True for an address of a pod CIDR that no pod has: policies may allow it, but no pod sends or receives there."""
    cidrs = [cidr for node in cluster.nodes.values() for cidr in node.pod_cidrs]
    return isinstance(end, OutsideEnd) and any(cidr.contains(host_prefix(end.address)) for cidr in cidrs)


def _by_other_rules(said: Judged, steps: Sequence[Sequence[TraceStep]]) -> Iterator[str]:
    """The contradictions where a packet passed a side by a rule that does not admit it according to the policies."""
    for table, reasons in (("EgressRule", said.egress), ("IngressRule", said.ingress)):
        admitting = _admitting(reasons)
        met = [step for stretch in steps for step in stretch if step.table == table and step.rules]
        for step in met:
            if not step.visit.drops and not admitting & set(step.rules):
                yield f"it passed {table} by {', '.join(map(str, step.rules))}, which does not admit it"


def _admitting(reasons: Reasons) -> set[RuleRef]:
    admissions = reasons.side.admitted_by
    return {RuleRef(each.policy.namespace, each.policy.name, each.direction, each.rule) for each in admissions}


def _reasons(nodes: Mapping[str | None, TracedNode], traced: Traced) -> Iterator[str]:
    """The possible causes of a contradiction."""
    if any(not step.ours for stretch in traced.steps for step in stretch):
        yield "it met flows that the manifests do not compile to: see above"
    for stretch in traced.way.stretches:
        yield from drift(stretch.node)
    end = traced.way.backend[0] if traced.way.backend else traced.answer.connection.destination
    if isinstance(end, PodEnd):
        node = nodes.get(bridge_of(nodes, end.pod))
        if node is not None and end.pod.key not in node.ports.pods:
            whose = f"{end.pod.key} ({format_address(end.address)})"
            yield f"{whose} has no port on {node.bridge}: {node.lacks(end.pod.key)}"
