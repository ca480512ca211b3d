"""Who is meant by SRC and DST: ``NAMESPACE/POD``, ``POD``, ``node/NAME``, ``svc/NAMESPACE/NAME`` or an address."""

import re
from collections.abc import Iterable, Sequence

import msgspec

from ovsnp.errors import UsageError
from ovsnp.explain.names import advice, nearest, nearest_keys
from ovsnp.model.address import FAMILIES, Address, Prefix, family, format_address, host_prefix, parse_address
from ovsnp.model.cluster import Cluster, Node, Pod
from ovsnp.model.service import Service
from ovsnp.verify import Endpoint, NodeEnd, OutsideEnd, PodEnd, who

DEFAULT_NAMESPACE = "default"
"""Where a pod or Service is whose namespace is not written."""

_ADDRESS_LIKE = re.compile(r"[0-9]+(\.[0-9]*)+|.*:.*")
_BLOCK_LIKE = re.compile(r"([0-9.]+|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)/[0-9]+")
_MAPPED = bytes(10) + b"\xff\xff"
_SERVICE = "svc/"
_SHOWN = 5


class ClusterIPEnd(msgspec.Struct, frozen=True):
    """A cluster IP; ``service`` is None where the address lies in a service CIDR and no Service has it."""

    address: Address
    service: Service | None


Destination = Endpoint | ClusterIPEnd


class Source(msgspec.Struct, frozen=True):
    """Who opens a connection: the full name, its end of each address family, and what there is to say of it."""

    name: str
    ends: tuple[Endpoint, ...]
    notes: tuple[str, ...] = ()


class Target(msgspec.Struct, frozen=True):
    """Whom a connection is opened to: as `Source`, and it may be a Service."""

    name: str
    ends: tuple[Destination, ...]
    notes: tuple[str, ...] = ()


def read_pod(cluster: Cluster, text: str) -> Pod:
    """The pod of a name or an address; raises UsageError, with the nearest names, where no pod has it."""
    ends = read_destination(cluster, text).ends
    if not isinstance(ends[0], PodEnd):
        raise UsageError(f"{text} is no pod; name a pod, or SRC and DST")
    return ends[0].pod


def name_of(end: Destination) -> str:
    """``NAMESPACE/POD``, ``node/NAME``, ``svc/NAMESPACE/NAME``, or the address of an outsider: as it may be written."""
    match end:
        case PodEnd(pod=pod):
            return pod.key
        case NodeEnd(node=node):
            return f"node/{node.name}"
        case ClusterIPEnd(service=Service(key=key)):
            return f"{_SERVICE}{key}"
        case _:
            return format_address(end.address)


def read_source(cluster: Cluster, text: str, service_cidrs: Sequence[Prefix] = ()) -> Source:
    """Who SRC is; raises UsageError, with the nearest names, where it is nobody that could open a connection.

    ``service_cidrs`` are those that the cluster's own objects do not tell.
    """
    found = read_destination(cluster, text, service_cidrs)
    ends = tuple(end for end in found.ends if not isinstance(end, ClusterIPEnd))
    if not ends:
        raise UsageError(f"{text} is a cluster IP, which opens no connections; name a pod, a node or an address as SRC")
    return Source(found.name, ends, found.notes)


def read_destination(cluster: Cluster, text: str, service_cidrs: Sequence[Prefix] = ()) -> Target:
    """Who DST is; raises UsageError, with the nearest names, where it is nobody."""
    first, slash, rest = text.partition("/")
    if _BLOCK_LIKE.fullmatch(text):
        raise UsageError(f"{text} is a block of addresses; name one address of it")
    if _ADDRESS_LIKE.fullmatch(text):
        return _by_address(cluster, _address(text), (*cluster.service_cidrs, *service_cidrs))
    if slash and first == "node":
        return _of_node(_node(cluster, rest))
    if slash and first == "svc":
        return _of_service(_service(cluster, rest))
    return _of_pod(_pod(cluster, text))


def _address(text: str) -> Address:
    try:
        address = parse_address(text)
    except ValueError as error:
        raise UsageError(f"{error}; write one like 10.0.0.1 or fd00::1") from None
    if len(address) == 16 and address.startswith(_MAPPED):
        raise UsageError(f"{text} is an IPv4 address inside an IPv6 one; write {format_address(Address(address[12:]))}")
    return address


def _by_address(cluster: Cluster, address: Address, service_cidrs: Iterable[Prefix]) -> Target:
    end = who(cluster, address)
    if not isinstance(end, OutsideEnd):
        return Target(name_of(end), (end,))
    text, host = format_address(address), host_prefix(address)
    for service in cluster.services:
        if address in service.cluster_ips:
            return _of_service(service, (address,))
    if any(cidr.contains(host) for cidr in service_cidrs):
        held = {format_address(each): service.key for service in cluster.services for each in service.cluster_ips}
        note = f"{text} lies in a service CIDR, but no Service has it{_nearest_held(text, held)}"
        return Target(text, (ClusterIPEnd(address, None),), (note,))
    for node in cluster.nodes.values():
        for cidr in node.pod_cidrs:
            if cidr.contains(host):
                held = {format_address(each): pod.key for pod in cluster.pods for each in pod.addresses}
                note = f"{text} lies in {cidr}, the pod CIDR of {node.name}, but no pod has it"
                return Target(text, (end,), (f"{note}{_nearest_held(text, held)}: judged as an outsider's",))
    return Target(text, (end,))


def _nearest_held(text: str, held: dict[str, str]) -> str:
    likely = nearest(text, held)
    return f" (nearest: {', '.join(f'{each} of {held[each]}' for each in likely)})" if likely else ""


def _of_node(node: Node) -> Target:
    """A node by its own addresses, or by its gateway's where it has none of a family."""
    ends = tuple(NodeEnd(node, each) for each in _one_a_family((*node.addresses, *node.gateways)))
    if not ends:
        raise UsageError(f"node {node.name} has no address: its status names none, and it has no pod CIDR")
    return Target(f"node/{node.name}", ends)


def _of_pod(pod: Pod) -> Target:
    return Target(pod.key, tuple(PodEnd(pod, each) for each in _one_a_family(pod.addresses)))


def _of_service(service: Service, addresses: tuple[Address, ...] = ()) -> Target:
    given = _one_a_family(addresses or service.cluster_ips)
    return Target(f"{_SERVICE}{service.key}", tuple(ClusterIPEnd(each, service) for each in given))


def _one_a_family(addresses: Sequence[Address]) -> list[Address]:
    """The first of each family, IPv4 first."""
    first = (next((each for each in addresses if family(each) == version), None) for version in FAMILIES)
    return [address for address in first if address is not None]


def _node(cluster: Cluster, name: str) -> Node:
    if name in cluster.nodes:
        return cluster.nodes[name]
    if not cluster.nodes:
        raise UsageError(f"there is no node {name}: the manifests have no Node objects")
    raise UsageError(f"there is no node {name}; {advice(nearest(name, cluster.nodes), cluster.nodes, 'nodes')}")


def _service(cluster: Cluster, text: str) -> Service:
    known = {service.key: service for service in cluster.services}
    key = _key(text)
    if key in known:
        return known[key]
    likely = [f"{_SERVICE}{each}" for each in nearest_keys(key, known)]
    hint = _elsewhere(key, known, _SERVICE) or advice(likely, (f"{_SERVICE}{each}" for each in known), "Services")
    raise UsageError(f"there is no Service {key} with a cluster IP; {hint}")


def _pod(cluster: Cluster, text: str) -> Pod:
    key = _key(text)
    namespace, _, name = key.partition("/")
    for pod in cluster.pods:
        if pod.name == name and pod.namespace == namespace:
            return pod
    raise UsageError(_no_pod(cluster, key))


def _no_pod(cluster: Cluster, key: str) -> str:
    """Why no pod of this name has a say in policies, and who is meant."""
    for pod in cluster.host_pods:
        if pod.key == key:
            return f"pod {key} is hostNetwork: policies treat it as {_host(cluster, pod)}; use that name"
    if any(pod.key == key for pod in cluster.ended_pods):
        return f"pod {key} has ended, so policies do not know it; name a pod that runs"
    known = {pod.key: pod for pod in cluster.pods}
    hint = _elsewhere(key, known) or _of_another_kind(cluster, key) or advice(nearest_keys(key, known), known, "pods")
    return f"there is no pod {key} with an address of its own; {hint}"


def _host(cluster: Cluster, pod: Pod) -> str:
    """As whom policies see a pod in the network of its node."""
    if pod.node in cluster.nodes:
        return f"node/{pod.node}"
    return " and ".join(map(format_address, pod.addresses)) or "its node"


def _key(text: str) -> str:
    return text if "/" in text else f"{DEFAULT_NAMESPACE}/{text}"


def _elsewhere(key: str, known: Iterable[str], prefix: str = "") -> str | None:
    """Where one of the same name is, in other namespaces."""
    name = key.partition("/")[2]
    found = sorted(f"{prefix}{each}" for each in known if each.partition("/")[2] == name)
    if len(found) > _SHOWN:
        return f"{name} is in {len(found)} other namespaces, such as {', '.join(found[:_SHOWN])}; write which"
    if len(found) > 1:
        return f"{name} is in several other namespaces: {', '.join(found)}; write which"
    return f"did you mean {found[0]}?" if found else None


def _of_another_kind(cluster: Cluster, key: str) -> str | None:
    """The node or Service that has the name of the pod that is not there."""
    name = key.partition("/")[2]
    if name in cluster.nodes:
        return f"did you mean node/{name}?"
    return next((f"did you mean {_SERVICE}{key}?" for service in cluster.services if service.key == key), None)
