"""A cluster as API objects: reading these objects gives the same cluster again."""

from collections.abc import Iterable, Iterator
from typing import Any

from ovsnp.model.address import family, format_address
from ovsnp.model.cluster import Cluster, Namespace, Node, Pod
from ovsnp.model.policy import Direction, IPBlock, NetworkPolicy, Peer, Rule
from ovsnp.model.ports import PortEntry
from ovsnp.model.selector import Selector
from ovsnp.model.service import EndpointSlice, Service

Object = dict[str, Any]


def cluster_objects(cluster: Cluster) -> Iterator[Object]:
    """All objects but the policies; what ovsnp ignores (idle pods, nodes that are left out) is not among them."""
    yield from map(_namespace, cluster.namespaces.values())
    yield from map(_node, cluster.nodes.values())
    yield from map(_pod, cluster.pods)
    yield from map(_service, cluster.services)
    yield from map(_slice, cluster.slices)
    if cluster.service_cidrs:
        cidrs = [str(cidr) for cidr in cluster.service_cidrs]
        for number, cidr in enumerate(cidrs):
            yield _object("networking.k8s.io/v1", "ServiceCIDR", f"lab-{number}", spec={"cidrs": [cidr]})


def policy_objects(policies: Iterable[NetworkPolicy]) -> Iterator[Object]:
    """The policies as API objects."""
    yield from map(_policy, policies)


def _object(version: str, kind: str, name: str, namespace: str | None = None, **parts: Any) -> Object:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {}), **parts.pop("metadata", {})}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **parts}


def _namespace(namespace: Namespace) -> Object:
    return _object("v1", "Namespace", namespace.name, metadata={"labels": dict(namespace.labels)})


def _node(node: Node) -> Object:
    addresses = [{"type": "InternalIP", "address": format_address(address)} for address in node.addresses]
    spec = {"podCIDRs": [str(cidr) for cidr in node.pod_cidrs]}
    return _object("v1", "Node", node.name, spec=spec, status={"addresses": addresses})


def _pod(pod: Pod) -> Object:
    ports = [{"name": port.name, "protocol": port.protocol, "containerPort": port.number} for port in pod.ports]
    return _object(
        "v1",
        "Pod",
        pod.name,
        pod.namespace,
        metadata={"labels": dict(pod.labels), **({"uid": pod.uid} if pod.uid else {})},
        spec={"nodeName": pod.node, "containers": [{"name": "main", "ports": ports}]},
        status={"phase": "Running", "podIPs": [{"ip": format_address(address)} for address in pod.addresses]},
    )


def _service(service: Service) -> Object:
    spec: Object = {
        "clusterIPs": [format_address(ip) for ip in service.cluster_ips],
        "ports": [
            {"name": port.name, "protocol": port.protocol, "port": port.number, "targetPort": port.target}
            for port in service.ports
        ],
        "internalTrafficPolicy": "Local" if service.local else "Cluster",
        "publishNotReadyAddresses": service.unready,
    }
    spec["clusterIP"] = spec["clusterIPs"][0]
    if service.selector is not None:
        spec["selector"] = {each.key: each.values[0] for each in service.selector.requirements}
    if service.affinity is not None:
        spec["sessionAffinity"] = "ClientIP"
        spec["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": service.affinity}}
    return _object("v1", "Service", service.name, service.namespace, spec=spec)


def _slice(endpoint_slice: EndpointSlice) -> Object:
    version = next((family(endpoint.address) for endpoint in endpoint_slice.endpoints), 4)
    return _object(
        "discovery.k8s.io/v1",
        "EndpointSlice",
        endpoint_slice.name,
        endpoint_slice.namespace,
        metadata={"labels": {"kubernetes.io/service-name": endpoint_slice.service}},
        addressType=f"IPv{version}",
        ports=[{"name": port.name, "protocol": port.protocol, "port": port.number} for port in endpoint_slice.ports],
        endpoints=[
            {
                "addresses": [format_address(endpoint.address)],
                "conditions": {
                    "ready": endpoint.ready,
                    "serving": endpoint.serving,
                    "terminating": endpoint.serving and not endpoint.ready,
                },
                "nodeName": endpoint.node,
            }
            for endpoint in endpoint_slice.endpoints
        ],
    )


def _policy(policy: NetworkPolicy) -> Object:
    spec: Object = {"podSelector": _selector(policy.pod_selector)}
    if policy.policy_types:
        spec["policyTypes"] = sorted(policy.policy_types)
    for direction in Direction:
        if rules := policy.rules(direction):
            spec[direction.section] = [_rule(rule, direction) for rule in rules]
    return _object("networking.k8s.io/v1", "NetworkPolicy", policy.name, policy.namespace, spec=spec)


def _rule(rule: Rule, direction: Direction) -> Object:
    peers = {"from" if direction is Direction.INGRESS else "to": [_peer(peer) for peer in rule.peers]}
    ports = {"ports": [_port(entry) for entry in rule.ports]}
    return {**(peers if rule.peers else {}), **(ports if rule.ports else {})}


def _peer(peer: Peer) -> Object:
    if isinstance(peer, IPBlock):
        excepts = [str(part) for part in peer.excepts]
        return {"ipBlock": {"cidr": str(peer.cidr), **({"except": excepts} if excepts else {})}}
    selectors = {"podSelector": peer.pod_selector, "namespaceSelector": peer.namespace_selector}
    return {field: _selector(selector) for field, selector in selectors.items() if selector is not None}


def _selector(selector: Selector) -> Object:
    expressions = [
        {"key": each.key, "operator": each.operator, **({"values": list(each.values)} if each.values else {})}
        for each in selector.requirements
    ]
    return {"matchExpressions": expressions} if expressions else {}


def _port(entry: PortEntry) -> Object:
    fields = {"protocol": entry.protocol, "port": entry.port, "endPort": entry.end_port}
    return {field: value for field, value in fields.items() if value is not None}
