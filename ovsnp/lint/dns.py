"""Pods that may send something, but not ask for names."""

from collections.abc import Iterator, Sequence
from functools import cache

import msgspec

from ovsnp.lint.finding import Finding, Severity, of_policy
from ovsnp.lint.scene import Kind, Scene
from ovsnp.lint.wording import listed, some_pods
from ovsnp.model.address import Address, family
from ovsnp.model.cluster import Cluster, Pod
from ovsnp.model.policy import Direction, IPBlock, NetworkPolicy, Rule
from ovsnp.model.ports import PortEntry, Protocol
from ovsnp.model.selector import Operator, Requirement, Selector
from ovsnp.model.service import Service
from ovsnp.verify import (
    Endpoint,
    OutsideEnd,
    PodEnd,
    Traffic,
    backends,
    judge,
    port_matches,
    selects,
    who,
)

_PORT = 53
_LABEL = Selector((Requirement("k8s-app", Operator.IN, ("kube-dns",)),))
"""What DNS servers of a cluster are labelled with, whatever they are (kubeadm, and most distributions)."""
_SERVICE = ("kube-system", "kube-dns")
_NOBODY = OutsideEnd(Address(bytes(4)))


class _Server(msgspec.Struct, frozen=True):
    """A DNS server, and where it listens."""

    end: Endpoint
    traffic: Traffic


def egress_without_dns(scene: Scene) -> Iterator[Finding]:
    """Pods isolated for egress that some rule lets send, but none to a DNS server: over UDP, or TCP only.

    Pods that may send nothing at all need no names. Where the input has no DNS server, any peer will do.
    """
    servers = _servers(scene.cluster)
    lacking: dict[tuple[Protocol, tuple[str, ...]], list[Kind]] = {}
    by_key = {policy.key: policy for policy in scene.cluster.policies}
    for kinds in scene.kinds.values():
        for kind in kinds:
            isolating = [policy for policy in scene.isolating(kind, Direction.EGRESS) if policy.egress]
            for protocol in (Protocol.UDP, Protocol.TCP) if isolating else ():
                if not _may_ask(scene, servers, kind.pods[0], isolating, protocol):
                    lacking.setdefault((protocol, tuple(policy.key for policy in isolating)), []).append(kind)
                    break
    for (protocol, keys), alike in lacking.items():
        yield _finding([by_key[key] for key in keys], alike, protocol, bool(servers))


def _servers(cluster: Cluster) -> Sequence[_Server]:
    """The backends of the cluster's DNS Service, else the pods with the label of DNS servers, else none."""

    @cache
    def owner(address: Address) -> Endpoint:
        return who(cluster, address)

    behind = [
        _Server(owner(backend.address), Traffic(port.protocol, backend.port))
        for service in cluster.services
        if _serves_dns(service)
        for port in service.ports
        if port.number == _PORT
        for version in sorted({family(address) for address in service.cluster_ips})
        for backend in sorted(backends(cluster, service, port, version, None))
    ]
    return behind or [
        _Server(PodEnd(pod, address), Traffic(protocol, _PORT))
        for pod in cluster.pods
        if selects(_LABEL, pod.labels)
        for address in pod.addresses
        for protocol in (Protocol.UDP, Protocol.TCP)
    ]


def _serves_dns(service: Service) -> bool:
    return (service.namespace, service.name) == _SERVICE or service.selector == _LABEL


def _may_ask(
    scene: Scene, servers: Sequence[_Server], pod: Pod, isolating: Sequence[NetworkPolicy], protocol: Protocol
) -> bool:
    rules = [rule for policy in isolating for rule in policy.egress]
    if not servers:
        return any(_may_be_dns(rule, protocol) for rule in rules)
    if any(_asks_elsewhere(rule, protocol) for rule in rules):
        return True
    # Only the pod's own side is asked about, so only its own namespace's policies can matter.
    part = msgspec.structs.replace(scene.cluster, policies=tuple(isolating))
    return any(
        judge(part, PodEnd(pod, address), server.end, server.traffic, strict_nodes=scene.strict_nodes).egress.allowed
        for server in servers
        if server.traffic.protocol is protocol
        for address in pod.addresses
        if family(address) == family(server.end.address)
    )


def _may_be_dns(rule: Rule, protocol: Protocol) -> bool:
    """Whether a rule admits DNS to someone; a named port could be that of a server which is not in the input."""
    named = any(isinstance(entry.port, str) and entry.protocol is protocol for entry in rule.ports)
    return named or port_matches(rule.ports, Traffic(protocol, _PORT), _NOBODY)


def _asks_elsewhere(rule: Rule, protocol: Protocol) -> bool:
    """Whether a rule is about DNS servers outside of the cluster: this very port, and a block."""
    return PortEntry(protocol, _PORT) in rule.ports and any(isinstance(peer, IPBlock) for peer in rule.peers)


def _finding(policies: Sequence[NetworkPolicy], kinds: Sequence[Kind], protocol: Protocol, known: bool) -> Finding:
    pods = [pod for kind in kinds for pod in kind.pods]
    whom = "the DNS servers" if known else "anyone"
    names = listed([policy.key for policy in policies])
    rules = f"no egress rule of {names} admits {_PORT}/{protocol} to {whom}"
    remedy = "add an egress rule to the DNS servers (k8s-app=kube-dns) with port 53 of UDP and TCP"
    if protocol is Protocol.UDP:
        message = f"{some_pods(pods)} cannot resolve names: {rules}"
        return of_policy(policies[0], ("spec", "egress"), message, remedy)
    message = f"{some_pods(pods)} cannot get answers that are too long for UDP: {rules}"
    return of_policy(policies[0], ("spec", "egress"), message, remedy, Severity.NOTICE)
