"""The DNS servers of a cluster, each with the port of its pod: policies are judged on this port."""

from collections.abc import Iterator, Sequence
from functools import cache

import msgspec

from ovsnp.analysis.lint.lint_index import LintIndex
from ovsnp.model.address import Address, host_prefix, parse_address
from ovsnp.model.cluster import Pod
from ovsnp.model.ports import Protocol
from ovsnp.model.selector import Operator, Selector
from ovsnp.model.service import Service
from ovsnp.oracle import Endpoint, OutsideEnd, PodEnd, Traffic, who

DNS_PORT = 53
USUAL_PORTS = (DNS_PORT, 5353)
"""The ports on which DNS servers listen, for an input without any; the second one is that of OpenShift."""
NODE_CACHE = parse_address("169.254.20.10")
"""The address on which NodeLocal DNSCache listens on every node, unless it is set up otherwise."""

_LABELS = (
    ("k8s-app", "kube-dns"),
    ("k8s-app", "coredns"),
    ("app.kubernetes.io/name", "coredns"),
    ("dns.operator.openshift.io/daemonset-dns", "default"),
)
"""Labels of DNS servers: of kubeadm and most distributions, of charts of CoreDNS, of OpenShift."""
_SERVICES = {("kube-system", "kube-dns"), ("kube-system", "coredns"), ("openshift-dns", "dns-default")}
_NODE_CACHE_LABEL = ("k8s-app", "node-local-dns")


class DnsResolver(msgspec.Struct, frozen=True):
    """A DNS server, the protocol and port on which it listens, and the words by which a policy names it."""

    end: Endpoint
    traffic: Traffic
    words: str


def resolvers(index: LintIndex) -> Sequence[DnsResolver]:
    """The backends of the Services for DNS, or else the pods with a label of DNS servers; and the caches of the nodes.

    Empty if the input has no such backends or pods: then the servers that the caches ask are not known.
    """
    servers = [*_behind_services(index)] or [*_labelled(index)]
    return [*servers, *_node_caches(index)] if servers else []


def _behind_services(index: LintIndex) -> Iterator[DnsResolver]:
    @cache
    def owner(address: Address) -> Endpoint:
        return who(index.cluster, address)

    for service in index.cluster.services:
        if not _serves_dns(service):
            continue
        for port, backend in index.backends(service):
            if port.number == DNS_PORT:
                end = owner(backend.address)
                yield DnsResolver(end, Traffic(port.protocol, backend.port), _words(service, end))


def _words(service: Service, end: Endpoint) -> str:
    """The words for a backend: a block if the backend is no pod that a selector selects."""
    if not isinstance(end, PodEnd):
        return f"ipBlock {host_prefix(end.address)}"
    return f"{service.selector} in {service.namespace}" if service.selector else f"Service {service.key}"


def _serves_dns(service: Service) -> bool:
    return (service.namespace, service.name) in _SERVICES or names_servers(service.selector or Selector())


def names_servers(selector: Selector) -> bool:
    """True if a selector of pods requires a label of DNS servers."""
    wanted = {
        (each.key, value) for each in selector.requirements if each.operator is Operator.IN for value in each.values
    }
    return not wanted.isdisjoint(_LABELS)


def system_namespace(name: str) -> bool:
    """True if DNS servers of clusters are in a namespace of this name."""
    return any(name == namespace for namespace, _ in _SERVICES)


def _labelled(index: LintIndex) -> Iterator[DnsResolver]:
    for pod in index.cluster.pods:
        if label := next((each for each in _LABELS if each in pod.labels.items()), None):
            for protocol in (Protocol.UDP, Protocol.TCP):
                traffic = Traffic(protocol, _port(pod, protocol))
                words = f"{'='.join(label)} in {pod.namespace}"
                yield from (DnsResolver(PodEnd(pod, address), traffic, words) for address in pod.addresses)


def _port(pod: Pod, protocol: Protocol) -> int:
    """The port that the pod calls dns, or dns-tcp; 53 if there is none."""
    named = (each.number for each in pod.ports if each.protocol is protocol and each.name in ("dns", "dns-tcp"))
    return next(named, DNS_PORT)


def _node_caches(index: LintIndex) -> Iterator[DnsResolver]:
    """The cache on every node, if the input has its pods; policies see its address as one outside of the cluster."""
    if any(_NODE_CACHE_LABEL in pod.labels.items() for pod in (*index.cluster.host_pods, *index.cluster.pods)):
        for protocol in (Protocol.UDP, Protocol.TCP):
            yield DnsResolver(OutsideEnd(NODE_CACHE), Traffic(protocol, DNS_PORT), "the cache of the node")
