"""Random small clusters that use every feature of NetworkPolicy, and the traffic that tells their rules apart.

``random_cluster`` makes the objects from a ``random.Random``, so a seed gives a cluster; ``clusters`` is the same as a
hypothesis strategy. The API server would accept all objects. Simple values come first in every choice, so that
hypothesis shrinks towards them.
"""

import ipaddress
from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import Any, NamedTuple

from hypothesis import strategies as st

Object = dict[str, Any]
Labels = Mapping[str, tuple[str, ...]]
IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

STACKS = ((4,), (4, 6), (6, 4), (6,))
LABELS = {"app": ("a", "b", "c"), "tier": ("web", "db", "")}
NAMESPACE_LABELS = {"env": ("prod", "dev", ""), "team": ("x", "y")}
PORT_NAMES = ("http", "dns", "metrics")
PROTOCOLS = ("TCP", "UDP", "SCTP")
NUMBERS = (80, 8080, 53, 443, 9899, 1, 65535, 1023, 1024, 32768)
TUNNEL_PORTS = (4789, 6081)
RANGES = ((1, 65535), (80, 80), (79, 8080), (1024, 65535), (1, 1023), (53, 54), (8000, 8999), (32768, 60999))
OUTSIDE = ("192.0.2.1", "198.51.100.77", "10.99.0.1", "2001:db8::1", "2001:db8:ffff::77", "fd00:99::1")
LENGTHS = {4: (32, 24, 0, 31, 30, 28, 16, 8, 1), 6: (128, 64, 0, 127, 126, 120, 48, 16, 1)}

# "This network", loopback, link-local, multicast and the reserved blocks around them.
UNROUTABLE = [
    ipaddress.ip_network(cidr)
    for cidr in ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3", "::/8", "fe80::/9", "ff00::/8")
]


def clusters(stacks: Sequence[tuple[int, ...]] = STACKS) -> st.SearchStrategy[list[Object]]:
    """Clusters as lists of API objects; ``stacks`` are the address families to choose from, the primary one first."""
    return st.randoms(use_true_random=False).map(lambda random: random_cluster(random, stacks))


def random_cluster(random: Random, stacks: Sequence[tuple[int, ...]] = STACKS) -> list[Object]:
    """One cluster: 1-3 nodes and namespaces, 2-6 pods, 0-6 policies; namespaces, nodes and pods come first."""
    stack = random.choice(stacks)
    namespaces = ["default", "red", "blue"][: random.randint(1, 3)]
    nodes = [_node(random, index, stack) for index in range(random.choice((1, 2, 2, 3)))]
    pods = _pods(random, namespaces, nodes, random.randint(2, 6))
    addresses = _addresses(nodes, pods)
    policies = [
        _policy(random, f"policy-{index}", namespaces, addresses)
        for index in range(random.choice((0, 1, 2, 3, 4, 4, 5, 5, 6, 6)))
    ]
    return [*(_namespace(random, name) for name in namespaces), *nodes, *pods, *policies]


def another_node(random: Random, objects: Sequence[Object]) -> Object:
    """A new node with the address families of the existing nodes, and with a number that no node has."""
    nodes = _of_kind(objects, "Node")
    stack = tuple(_family(cidr.partition("/")[0]) for cidr in nodes[0]["spec"]["podCIDRs"])
    return _node(random, _free_number(objects, "node"), stack)


def another_pod(random: Random, objects: Sequence[Object], node: Object) -> Object:
    """A new pod on this node, with addresses that no living pod has."""
    held = {entry["ip"] for pod in _of_kind(objects, "Pod") for entry in pod["status"].get("podIPs", ())}
    network = ipaddress.ip_network(node["spec"]["podCIDRs"][0])
    free = [number for number in range(2, 14) if str(network[number]) not in held]
    space = random.choice(_of_kind(objects, "Namespace"))["metadata"]["name"]
    return _pod(random, f"pod-{_free_number(objects, 'pod')}", space, node, random.choice(free or [14]))


def another_policy(random: Random, objects: Sequence[Object]) -> Object:
    """A new policy in one of the namespaces."""
    namespaces = [each["metadata"]["name"] for each in _of_kind(objects, "Namespace")]
    addresses = _addresses(_of_kind(objects, "Node"), _of_kind(objects, "Pod"))
    return _policy(random, f"policy-{_free_number(objects, 'policy')}", namespaces, addresses)


def _free_number(objects: Sequence[Object], prefix: str) -> int:
    """A number above the numbers of all names with this prefix."""
    names = [each["metadata"]["name"].split("-") for each in objects]
    return max((int(name[1]) for name in names if name[0] == prefix), default=-1) + 1


def _likely(random: Random, share: float) -> bool:
    """True in this share of cases; the smallest draw gives False."""
    return random.random() >= 1 - share


def labels_of(random: Random, choices: Labels) -> dict[str, str]:
    """A random selection of these labels."""
    return {key: random.choice(values) for key, values in choices.items() if _likely(random, 0.75)}


def _namespace(random: Random, name: str) -> Object:
    labels = labels_of(random, NAMESPACE_LABELS) | {"kubernetes.io/metadata.name": name}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def _node(random: Random, index: int, stack: tuple[int, ...]) -> Object:
    cidrs = {4: f"10.20.{index}.0/{random.choice((24, 28))}", 6: f"fd00:20:{index + 1}::/64"}
    internal = {4: f"172.16.0.{10 + index}", 6: f"fd00:16::{10 + index}"}
    external = {4: f"203.0.113.{10 + index}", 6: f"2001:db8:113::{10 + index}"}
    addresses = [{"type": "InternalIP", "address": internal[family]} for family in stack]
    addresses.append({"type": "Hostname", "address": f"node-{index}"})
    if _likely(random, 0.3):
        addresses.append({"type": "ExternalIP", "address": external[stack[0]]})
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": f"node-{index}"},
        "spec": {"podCIDR": cidrs[stack[0]], "podCIDRs": [cidrs[family] for family in stack]},
        "status": {"addresses": addresses},
    }


def _pods(random: Random, namespaces: list[str], nodes: list[Object], count: int) -> list[Object]:
    """Pods with addresses of their node; two pods share an address only if the first is gone."""
    pods: list[Object] = []
    taken: set[tuple[str, int]] = set()
    for index in range(count):
        node = random.choice(nodes)
        name = node["metadata"]["name"]
        host = random.choice([number for number in range(2, 11) if (name, number) not in taken])
        pod = _pod(random, f"pod-{index}", random.choice(namespaces), node, host)
        pods.append(pod)
        if pod["status"]["phase"] == "Running" and "hostNetwork" not in pod["spec"]:
            taken.add((name, host))
    return pods


def _pod(random: Random, name: str, namespace: str, node: Object, host: int) -> Object:
    status: Object = {"phase": random.choice(("Running",) * 9 + ("Succeeded", "Failed", "Pending"))}
    spec: Object = {"nodeName": node["metadata"]["name"]} | _containers(random)
    addresses = [str(ipaddress.ip_network(cidr)[host]) for cidr in node["spec"]["podCIDRs"]]
    if _likely(random, 0.1):
        spec["hostNetwork"] = True
        addresses = [each["address"] for each in node["status"]["addresses"] if each["type"] == "InternalIP"]
    elif len(addresses) > 1 and _likely(random, 0.15):
        addresses = [random.choice(addresses)]
    if status["phase"] != "Pending":
        status |= {"podIP": addresses[0], "podIPs": [{"ip": address} for address in addresses]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": labels_of(random, LABELS)},
        "spec": spec,
        "status": status,
    }


def _containers(random: Random) -> Object:
    """One or two containers, and sometimes a sidecar, or an init container, whose named ports do not count.

    A port name is unique in a container, as the API demands, but several containers may have it.
    """
    containers = [_container(random, "main")]
    if _likely(random, 0.3):
        containers.append(_container(random, "second"))
    spec: Object = {"containers": containers}
    if _likely(random, 0.2):
        spec["initContainers"] = [_container(random, "sidecar") | {"restartPolicy": "Always"}]
    elif _likely(random, 0.1):
        spec["initContainers"] = [_container(random, "init")]
    return spec


def _container(random: Random, name: str) -> Object:
    ports: dict[tuple[str, int], Object] = {}
    for port_name in PORT_NAMES:
        if _likely(random, 0.5):
            protocol, number = random.choice(PROTOCOLS), random.choice(NUMBERS[:5])
            ports[protocol, number] = {"name": port_name, "containerPort": number}
            if protocol != "TCP" or _likely(random, 0.5):
                ports[protocol, number]["protocol"] = protocol
    if _likely(random, 0.3):
        ports.setdefault(("TCP", 8443), {"containerPort": 8443})
    return {"name": name, "image": "registry.example/app:1"} | ({"ports": [*ports.values()]} if ports else {})


def _addresses(nodes: list[Object], pods: list[Object]) -> list[str]:
    """Addresses for blocks to hold: of pods (living or gone), nodes, gateways, and outsiders."""
    held = {entry["ip"] for pod in pods for entry in pod["status"].get("podIPs", ())}
    return [*sorted(held), *_node_addresses(nodes), *OUTSIDE]


def _policy(random: Random, name: str, namespaces: list[str], addresses: list[str]) -> Object:
    spec: Object = {}
    if _likely(random, 0.9):
        spec["podSelector"] = _selector(random, LABELS)
    _put_list(random, spec, "ingress", lambda: _rule(random, "from", addresses))
    _put_list(random, spec, "egress", lambda: _rule(random, "to", addresses))
    if _likely(random, 0.7):
        spec["policyTypes"] = random.choice((["Ingress", "Egress"], ["Ingress"], ["Egress"], [], None))
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": random.choice(namespaces)},
        "spec": spec,
    }


def _put_list(random: Random, holder: Object, key: str, item: Callable[[], Object], share: float = 0.75) -> None:
    """Give the object a list of one to three items, or else an empty list, null, or no such field."""
    if _likely(random, share):
        holder[key] = [item() for _ in range(random.choice((1, 1, 2, 3)))]
    elif _likely(random, 0.6):
        holder[key] = random.choice(([], None))


def _rule(random: Random, peers: str, addresses: list[str]) -> Object:
    rule: Object = {}
    _put_list(random, rule, peers, lambda: _peer(random, addresses), 0.85)
    _put_list(random, rule, "ports", lambda: _port(random), 0.6)
    return rule


def _peer(random: Random, addresses: list[str]) -> Object:
    form = random.choice(("podSelector", "namespaceSelector", "both", "ipBlock", "ipBlock"))
    if form == "ipBlock":
        return {"ipBlock": _block(random, addresses)}
    peer: Object = {}
    if form != "namespaceSelector":
        peer["podSelector"] = _selector(random, LABELS)
    if form != "podSelector":
        peer["namespaceSelector"] = _selector(random, NAMESPACE_LABELS)
    return peer


def _selector(random: Random, choices: Labels) -> Object:
    """A selector: empty, with labels, with expressions or with both; most selectors select something."""
    selector: Object = {}
    key = random.choice(tuple(choices))
    if _likely(random, 0.5):
        selector["matchLabels"] = {key: random.choice(choices[key])}
    if _likely(random, 0.35):
        selector["matchExpressions"] = [_requirement(random, choices) for _ in range(random.choice((1, 1, 2)))]
    return selector


def _requirement(random: Random, choices: Labels) -> Object:
    key, operator = random.choice(tuple(choices)), random.choice(("In", "NotIn", "Exists", "DoesNotExist"))
    requirement: Object = {"key": key, "operator": operator}
    if operator in ("In", "NotIn"):
        values = random.sample(choices[key], random.randint(1, 2))
        requirement["values"] = [*values, "elsewhere"] if _likely(random, 0.2) else values
    elif _likely(random, 0.2):
        requirement["values"] = []
    return requirement


def _block(random: Random, addresses: list[str]) -> Object:
    """A block around one of the addresses, with excepts inside it that may nest and overlap."""
    address = random.choice(addresses)
    length = random.choice(LENGTHS[_family(address)])
    cidr = ipaddress.ip_network(f"{address}/{length}", strict=False)
    block: Object = {"cidr": f"{address}/{length}" if _likely(random, 0.1) else str(cidr)}
    if length < cidr.max_prefixlen and _likely(random, 0.6):
        block["except"] = [_except(random, cidr, addresses) for _ in range(random.choice((1, 2, 3)))]
    elif _likely(random, 0.1):
        block["except"] = random.choice(([], None))
    return block


def _except(random: Random, cidr: Network, addresses: list[str]) -> str:
    inside = [each for each in addresses if ipaddress.ip_address(each) in cidr]
    length = random.choice([each for each in LENGTHS[cidr.version] if each > cidr.prefixlen] or [cidr.max_prefixlen])
    return str(ipaddress.ip_network(f"{random.choice(inside)}/{length}", strict=False))


def _port(random: Random) -> Object:
    port: Object = {"protocol": random.choice(PROTOCOLS)} if _likely(random, 0.7) else {}
    form = random.choice(("number", "name", "range", "all"))
    if form == "number":
        port["port"] = random.choice(NUMBERS)
    elif form == "name":
        port["port"] = random.choice(PORT_NAMES)
    elif form == "range":
        port["port"], port["endPort"] = random.choice(RANGES) if _likely(random, 0.6) else _range(random)
    return port


def _range(random: Random) -> tuple[int, int]:
    first, last = sorted((random.randint(1, 65535), random.randint(1, 65535)))
    return first, last


class Probe(NamedTuple):
    """A connection to judge; ``protocol`` is TCP, UDP, SCTP or ICMP (ICMPv6), ``port`` is None for ICMP only."""

    source: str
    destination: str
    protocol: str
    port: int | None


def interesting_traffic(objects: Sequence[Object], limit: int = 3000) -> list[Probe]:
    """Connections that tell the policies of these objects apart: at most ``limit``, the same for the same objects.

    At least one end is a pod. The ends are all pods, nodes (gateways included) and the edges of all blocks, without
    the free addresses of pod CIDRs. The ports are those at, below and above every boundary. Tunnel traffic of pods to
    nodes, which no policy allows, is left out.
    """
    pods, nodes = _living(objects), _node_addresses(objects)
    ends = (pods, nodes, _edges(objects, {*pods, *nodes}))
    traffic = _traffic(objects)
    kinds = [
        [
            Probe(source, destination, protocol, port)
            for source, destination in _pairs(pods, far)
            for protocol, port in traffic
            if not (protocol == "UDP" and port in TUNNEL_PORTS and destination in nodes)
        ]
        for far in ends
    ]
    return _sample(kinds, limit)


def _sample(kinds: list[list[Probe]], limit: int) -> list[Probe]:
    """At most ``limit`` probes, from each kind an equal number where there are enough."""
    taken: list[Probe] = []
    for done, kind in enumerate(sorted(kinds, key=len)):
        part = min(len(kind), (limit - len(taken)) // (len(kinds) - done))
        taken += (kind[index] for index in sorted(Random(0).sample(range(len(kind)), part)))
    return taken


def _family(address: str) -> int:
    return ipaddress.ip_address(address).version


def _pairs(pods: list[str], far: list[str]) -> list[tuple[str, str]]:
    """Every pair of a pod and a far end of one family, in both orders."""
    pairs = [(pod, end) for pod in pods for end in far if _family(pod) == _family(end)]
    return list(dict.fromkeys(pairs + [(end, pod) for pod, end in pairs]))


def _of_kind(objects: Sequence[Object], kind: str) -> list[Object]:
    return [each for each in objects if each["kind"] == kind]


def _living(objects: Sequence[Object]) -> list[str]:
    """The addresses of the living pods with an address of their own."""
    return [
        entry["ip"]
        for pod in _of_kind(objects, "Pod")
        if pod["status"]["phase"] not in ("Succeeded", "Failed") and not pod["spec"].get("hostNetwork")
        for entry in pod["status"].get("podIPs", ())
    ]


def _pod_cidrs(objects: Sequence[Object]) -> list[Network]:
    return [ipaddress.ip_network(cidr) for node in _of_kind(objects, "Node") for cidr in node["spec"]["podCIDRs"]]


def _node_addresses(objects: Sequence[Object]) -> list[str]:
    own = [
        each["address"]
        for node in _of_kind(objects, "Node")
        for each in node["status"]["addresses"]
        if each["type"] != "Hostname"
    ]
    return [*own, *(str(cidr[1]) for cidr in _pod_cidrs(objects))]


def _edges(objects: Sequence[Object], held: set[str]) -> list[str]:
    """The first and last addresses of all blocks and excepts, and those just outside, if outsiders can have them."""
    pod_cidrs = _pod_cidrs(objects)
    edges = set(map(ipaddress.ip_address, OUTSIDE))
    for block in _blocks(objects):
        for cidr in [block["cidr"], *(block.get("except") or ())]:
            network = ipaddress.ip_network(cidr, strict=False)
            first, last = int(network[0]), int(network[-1])
            edges |= {
                type(network[0])(each)
                for each in (first - 1, first, last, last + 1)
                if 0 < each < 2**network.max_prefixlen
            }
    return sorted(
        str(each)
        for each in edges
        if _routable(each) and str(each) not in held and not any(each in cidr for cidr in pod_cidrs)
    )


def _routable(address: IPAddress) -> bool:
    """True if the address can be that of an end of a connection."""
    return not any(address in network for network in UNROUTABLE)


def _rules(objects: Sequence[Object]) -> list[Object]:
    specs = [policy["spec"] for policy in _of_kind(objects, "NetworkPolicy")]
    return [rule for spec in specs for section in ("ingress", "egress") for rule in spec.get(section) or ()]


def _blocks(objects: Sequence[Object]) -> Iterator[Object]:
    for rule in _rules(objects):
        for peer in [*(rule.get("from") or ()), *(rule.get("to") or ())]:
            if "ipBlock" in peer:
                yield peer["ipBlock"]


def _traffic(objects: Sequence[Object]) -> list[tuple[str, int | None]]:
    """ICMP, an unused port, each mentioned port in every protocol, and the neighbours of each in its own protocol."""
    wanted: set[tuple[str, int]] = {(protocol, 7) for protocol in PROTOCOLS}
    for protocol, number in _numbers(objects):
        wanted |= {(each, number) for each in PROTOCOLS}
        wanted |= {(protocol, each) for each in (number - 1, number + 1) if 1 <= each <= 65535}
    return [("ICMP", None), *sorted(wanted)]


def _numbers(objects: Sequence[Object]) -> Iterator[tuple[str, int]]:
    """Every port number of a rule, and every number that a pod gives a port name that a rule uses."""
    entries = [entry for rule in _rules(objects) for entry in rule.get("ports") or ()]
    for entry in entries:
        for number in (entry.get("port"), entry.get("endPort")):
            if isinstance(number, int):
                yield entry.get("protocol", "TCP"), number
    names = {entry.get("port") for entry in entries}
    for pod in _of_kind(objects, "Pod"):
        for container in [*pod["spec"]["containers"], *pod["spec"].get("initContainers", ())]:
            for port in container.get("ports", ()):
                if port.get("name") in names:
                    yield port.get("protocol", "TCP"), port["containerPort"]


def random_services(random: Random, objects: Sequence[Object]) -> list[Object]:
    """1-3 Services of a random cluster, of each kind: by selector or by slices, everywhere or local, one family or two.

    The cluster IPs start at 10.96.0.1 and fd00:96::1.
    """
    pods, nodes = _of_kind(objects, "Pod"), _of_kind(objects, "Node")
    found: list[Object] = []
    for index in range(1, random.randint(2, 4)):
        service = _service(random, index, random.choice(pods), nodes[0]["spec"]["podCIDRs"])
        found.append(service)
        if "selector" not in service["spec"] or _likely(random, 0.5):
            found += _slices(random, service, objects)
    return found


def _service(random: Random, index: int, pod: Object, pod_cidrs: Sequence[str]) -> Object:
    """A Service that in most cases selects this pod."""
    first = _family(pod_cidrs[0].partition("/")[0])
    addresses = {4: f"10.96.0.{index}", 6: f"fd00:96::{index}"}
    stack = [first, 10 - first][: random.randint(1, len(pod_cidrs))]
    kinds = {(random.choice(PROTOCOLS), random.choice((80, 53, 9899))) for _ in range(random.randint(1, 3))}
    spec: Object = {
        "clusterIPs": [addresses[family] for family in stack],
        "ports": [
            {
                "name": f"port-{number}",
                "protocol": protocol,
                "port": port,
                "targetPort": random.choice((8080, 8080, 53, 53, *PORT_NAMES)),
            }
            for number, (protocol, port) in enumerate(sorted(kinds))
        ],
    }
    labels = pod["metadata"]["labels"] if _likely(random, 0.8) else labels_of(random, LABELS)
    if labels and _likely(random, 0.8):
        key = random.choice(sorted(labels))
        spec["selector"] = {key: labels[key]}
    if _likely(random, 0.3):
        spec["internalTrafficPolicy"] = "Local"
    metadata = {"name": f"service-{index}", "namespace": pod["metadata"]["namespace"]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def _slices(random: Random, service: Object, objects: Sequence[Object]) -> Iterator[Object]:
    """0-2 slices for each family; endpoints are ready, unready or terminating, and some slices lack a port."""
    where = {each["ip"]: pod for pod in _of_kind(objects, "Pod") for each in pod["status"].get("podIPs", ())}
    for family in (4, 6):
        held = sorted(each for each in (*where, "192.0.2.7", "2001:db8::7") if _family(each) == family)
        for number in range(random.randint(0, 2)):
            name = service["metadata"]["name"]
            metadata = {"name": f"{name}-{family}-{number}", "namespace": service["metadata"]["namespace"]}
            yield {
                "apiVersion": "discovery.k8s.io/v1",
                "kind": "EndpointSlice",
                "metadata": metadata | {"labels": {"kubernetes.io/service-name": name}},
                "addressType": f"IPv{family}",
                "ports": [
                    {"name": port["name"], "protocol": port["protocol"], "port": random.choice((8080, 53, 1))}
                    for port in service["spec"]["ports"]
                    if _likely(random, 0.9)
                ],
                "endpoints": [
                    _slice_endpoint(random, address, where.get(address))
                    for address in sorted(random.sample(held, random.randint(0, min(3, len(held)))))
                ],
            }


def _slice_endpoint(random: Random, address: str, pod: Object | None) -> Object:
    conditions = random.choice(
        (
            {},
            {"ready": True},
            {"ready": True, "serving": True, "terminating": False},
            {"ready": False},
            {"ready": False, "serving": True, "terminating": True},
            {"ready": False, "serving": False, "terminating": True},
        )
    )
    node = {"nodeName": pod["spec"]["nodeName"]} if pod else {}
    return {"addresses": [address], "conditions": conditions, **node}


def planned(random: Random, pods: list[Object]) -> Iterator[Object]:
    """The pods at an earlier time: some run already, others are a Deployment (of the pod's name) or have no status.

    Pods that have finished, and pods in the host network, are left out.
    """
    for pod in pods:
        if pod["status"]["phase"] != "Running" or "hostNetwork" in pod["spec"]:
            continue
        spec = {key: value for key, value in pod["spec"].items() if key != "nodeName"}
        match random.choice(("running", "template", "template", "pod")):
            case "running":
                yield pod
            case "pod":
                yield {**pod, "spec": spec, "status": {}}
            case "template":
                names = {key: pod["metadata"][key] for key in ("name", "namespace")}
                template = {"metadata": {"labels": pod["metadata"].get("labels", {})}, "spec": spec}
                yield {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": names, "spec": {"template": template}}
