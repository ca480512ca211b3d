"""Short constructors of model objects, for the tests of the oracle."""

from collections.abc import Sequence

from ovsnp.errors import Place
from ovsnp.model.address import Address, format_address, parse_address, parse_prefix
from ovsnp.model.cluster import Cluster, Namespace, Node, Pod
from ovsnp.model.policy import Direction, IPBlock, NetworkPolicy, PodPeer, Rule
from ovsnp.model.ports import ContainerPort, Protocol
from ovsnp.model.selector import Operator, Requirement, Selector
from ovsnp.model.service import EndpointSlice, Service, ServicePort, SliceEndpoint, SlicePort
from ovsnp.oracle import Traffic, Verdict, judge, judge_service, who

Part = Namespace | Node | Pod | NetworkPolicy | Service | EndpointSlice
PLACE = Place("test.yaml")
EVERYTHING = Selector()


def addresses(*texts: str) -> tuple[Address, ...]:
    return tuple(map(parse_address, texts))


def labelled(**labels: str) -> Selector:
    """A selector with ``matchLabels``."""
    return Selector(tuple(Requirement(key, Operator.IN, (value,)) for key, value in sorted(labels.items())))


def expressed(key: str, operator: Operator, *values: str) -> Selector:
    """A selector with one item of ``matchExpressions``."""
    return Selector((Requirement(key, operator, values),))


def namespace(name: str, **labels: str) -> Namespace:
    return Namespace(name, {"kubernetes.io/metadata.name": name, **labels})


def node(name: str, address: str, *cidrs: str) -> Node:
    first = parse_address(address)
    return Node(name, tuple(map(parse_prefix, cidrs)), (first,), first)


def pod(
    key: str,
    *texts: str,
    on: str | None = "node-0",
    ports: Sequence[tuple[str, Protocol, int]] = (),
    **labels: str,
) -> Pod:
    space, name = key.split("/")
    named = tuple(ContainerPort(*port) for port in ports)
    return Pod(space, name, labels, on, addresses(*texts), named, PLACE)


def block(cidr: str, *excepts: str) -> IPBlock:
    return IPBlock(parse_prefix(cidr), tuple(map(parse_prefix, excepts)))


def pods(selector: Selector | None = None, *, namespaces: Selector | None = None) -> PodPeer:
    return PodPeer(selector, namespaces)


def policy(
    key: str,
    selector: Selector = EVERYTHING,
    *,
    types: Sequence[Direction] = (),
    ingress: Sequence[Rule] = (),
    egress: Sequence[Rule] = (),
) -> NetworkPolicy:
    space, name = key.split("/")
    return NetworkPolicy(space, name, selector, frozenset(types), tuple(ingress), tuple(egress), PLACE)


def service(key: str, *texts: str, ports: Sequence[ServicePort], local: bool = False, **labels: str) -> Service:
    """A Service with these cluster IPs; without labels it has no selector."""
    space, name = key.split("/")
    selector = labelled(**labels) if labels else None
    return Service(space, name, addresses(*texts), tuple(ports), selector, None, local, False, PLACE)


def port(number: int, target: int | str, name: str = "", protocol: Protocol = Protocol.TCP) -> ServicePort:
    return ServicePort(name, protocol, number, target)


def endpoint(address: str, on: str | None = "node-0", *, ready: bool = True, serving: bool = True) -> SliceEndpoint:
    return SliceEndpoint(parse_address(address), on, ready, serving)


def endpoints(key: str, number: int, *found: SliceEndpoint, name: str = "") -> EndpointSlice:
    """An EndpointSlice of a Service with one TCP port."""
    space, service_name = key.split("/")
    ports = (SlicePort(name, Protocol.TCP, number),)
    return EndpointSlice(space, f"{service_name}-slice", service_name, ports, found, PLACE)


def cluster(*parts: Part) -> Cluster:
    """A cluster of these objects; a namespace without an object has the name label only."""
    mentioned = sorted({part.namespace for part in parts if isinstance(part, Pod | NetworkPolicy)})
    given = {part.name: part for part in parts if isinstance(part, Namespace)}
    return Cluster(
        {name: namespace(name) for name in mentioned} | given,
        {part.name: part for part in parts if isinstance(part, Node)},
        tuple(part for part in parts if isinstance(part, Pod)),
        tuple(part for part in parts if isinstance(part, NetworkPolicy)),
        tuple(part for part in parts if isinstance(part, Service)),
        tuple(part for part in parts if isinstance(part, EndpointSlice)),
    )


def tcp(port: int) -> Traffic:
    return Traffic(Protocol.TCP, port)


def udp(port: int) -> Traffic:
    return Traffic(Protocol.UDP, port)


def verdict(
    state: Cluster, source: str, destination: str, traffic: Traffic | None = None, *, strict_nodes: bool = False
) -> Verdict:
    """The oracle's verdict on two addresses; the default is TCP port 80."""
    ends = who(state, parse_address(source)), who(state, parse_address(destination))
    return judge(state, *ends, tcp(80) if traffic is None else traffic, strict_nodes=strict_nodes)


def through(state: Cluster, source: str, address: str, traffic: Traffic | None = None) -> dict[str, bool]:
    """For each backend (``ADDRESS PORT``) of a cluster IP, whether it is reached; the default is TCP port 80."""
    found = judge_service(
        state, who(state, parse_address(source)), parse_address(address), tcp(80) if traffic is None else traffic
    )
    return {f"{format_address(one.address)} {one.port}": said.allowed for one, said in found.items()}


def allowed(
    state: Cluster, source: str, destination: str, traffic: Traffic | None = None, *, strict_nodes: bool = False
) -> bool:
    return verdict(state, source, destination, traffic, strict_nodes=strict_nodes).allowed
