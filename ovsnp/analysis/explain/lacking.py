"""Finds what a far end and a port lack, so that an item of a rule's ``from``, ``to`` or ``ports`` does not match.

The functions ask the oracle's parts; none of them knows what a selector or a block means.
"""

from collections.abc import Iterator, Mapping

from ovsnp.analysis.explain.needs import Holder, InNamespace, Label, Need, OtherAddress, OtherEnd, PortName, ToPort
from ovsnp.analysis.naming.ends import name_of
from ovsnp.model.address import format_address
from ovsnp.model.cluster import Cluster, Pod
from ovsnp.model.policy import IPBlock, Peer, PodPeer
from ovsnp.model.ports import PortEntry
from ovsnp.model.selector import Operator, Requirement, Selector
from ovsnp.model.unassigned import is_placeholder
from ovsnp.oracle import Endpoint, PodEnd, Traffic
from ovsnp.oracle.peers import in_namespaces, item_matches
from ovsnp.oracle.selectors import meets, selects

_OF_THE_API = "kubernetes.io/metadata.name"
"""The API server sets this label of a namespace; users cannot change it."""


def peer_lacks(cluster: Cluster, policy_namespace: str, peer: Peer, far: Endpoint) -> tuple[Need, ...]:
    """What the far end lacks for this item to match it; only for an item that does not match."""
    match peer, far:
        case IPBlock(), _ if is_placeholder(far.address):
            return (OtherEnd(f"{name_of(far)} has no address yet, so {peer.cidr} is not known to hold it"),)
        case IPBlock(), _:
            parts = (part for part in peer.excepts if item_matches(cluster, policy_namespace, IPBlock(part), far))
            return (OtherAddress(format_address(far.address), peer.cidr, next(parts, None)),)
        case PodPeer(), PodEnd(pod=pod):
            return (
                *_namespace_lacks(cluster, policy_namespace, peer, pod),
                *_labels_lack(Holder.POD, pod.title, peer.pod_selector or Selector(), pod.labels),
            )
        case _:
            return (OtherEnd(f"{name_of(far)} is no pod, and selectors name pods only"),)


def port_lacks(entry: PortEntry, traffic: Traffic, destination: Endpoint) -> tuple[Need, ...]:
    """What the traffic lacks for this item to match it; only for an item that does not match."""
    match entry.port, destination:
        case None, _:
            return (ToPort(entry.protocol, 1, 65535),)
        case int(first), _:
            return (ToPort(entry.protocol, first, entry.end_port or first),)
        case str(name), PodEnd(pod=pod):
            for port in pod.ports:
                if (port.name, port.protocol) == (name, entry.protocol):
                    return (ToPort(port.protocol, port.number, port.number),)
            if entry.protocol is traffic.protocol and traffic.port is not None:
                return (PortName(pod.title, name, entry.protocol, traffic.port),)
            return (OtherEnd(f"{pod.title} calls no {entry.protocol} port {name}"),)
        case name, _:
            return (OtherEnd(f"{name_of(destination)} is no pod, and only pods have ports of names such as {name}"),)


def _namespace_lacks(cluster: Cluster, policy_namespace: str, peer: PodPeer, pod: Pod) -> tuple[Need, ...]:
    if in_namespaces(cluster, policy_namespace, peer, pod):
        return ()
    if peer.namespace_selector is None:
        return (InNamespace(pod.title, policy_namespace, True),)
    selector = peer.namespace_selector
    needs = _labels_lack(Holder.NAMESPACE, pod.namespace, selector, cluster.namespaces[pod.namespace].labels)
    if all(isinstance(need, Label) and need.key != _OF_THE_API for need in needs):
        return needs
    others = sorted(name for name, each in cluster.namespaces.items() if selects(selector, each.labels))
    if others:
        return (InNamespace(pod.title, others[0], False),)
    return (OtherEnd(f"{pod.title} is in namespace {pod.namespace}, and no namespace is there with {selector}"),)


def _labels_lack(holder: Holder, name: str, selector: Selector, labels: Mapping[str, str]) -> tuple[Need, ...]:
    """A label for each key whose value the selector does not match; one `OtherEnd` where no value can match."""
    needs: list[Need] = []
    for key in dict.fromkeys(requirement.key for requirement in selector.requirements):
        wanted = [requirement for requirement in selector.requirements if requirement.key == key]
        if all(meets(each, labels) for each in wanted):
            continue
        fitting = [value for value in _values(wanted) if all(meets(each, _only(key, value)) for each in wanted)]
        if not fitting:
            return (OtherEnd(f"{name}: no label {key} can meet {selector}"),)
        anything = all(each.operator is Operator.EXISTS for each in wanted)
        needs.append(Label(holder, name, key, fitting[0], labels.get(key), anything))
    return tuple(needs)


def _values(wanted: list[Requirement]) -> Iterator[str | None]:
    """Values to try: the values of the requirements, then no label, then a value that no requirement names."""
    named = {value for requirement in wanted for value in requirement.values}
    yield from sorted(named)
    yield None
    fresh = "any"
    while fresh in named:
        fresh += "-other"
    yield fresh


def _only(key: str, value: str | None) -> dict[str, str]:
    return {} if value is None else {key: value}
