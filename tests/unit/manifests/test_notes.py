"""Unusable state of a cluster: the parts left out, the parts kept, and the whole lines of the notes."""

import json
from collections.abc import Callable

import pytest
import yaml

from ovsnp.manifests import load_objects
from ovsnp.model.address import format_address
from ovsnp.model.cluster import Cluster

Load = Callable[..., Cluster]
Notes = Callable[..., list[str]]
Object = dict[str, object]

READY, UNREADY = [{"type": "Ready", "status": "True"}], [{"type": "Ready", "status": "Unknown"}]


def node(
    name: str, *cidrs: str, internal: str = "", external: str = "", conditions: list[Object] | None = None
) -> Object:
    addresses = [
        {"type": type_, "address": address}
        for type_, texts in (("InternalIP", internal), ("ExternalIP", external))
        for address in texts.split()
    ]
    status = {"addresses": addresses, **({"conditions": conditions} if conditions else {})}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "spec": {"podCIDRs": [*cidrs]},
            "status": status}  # fmt: skip


def pod(name: str, *addresses: str, on: str | None = "beech", **more: object) -> Object:
    metadata = {"name": name, **({"deletionTimestamp": "2026-01-01T00:00:00Z"} if more.pop("ending", False) else {})}
    status = {"phase": more.pop("phase", "Running"), "podIPs": [{"ip": address} for address in addresses]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"nodeName": on, **more}, "status": status}


def service(name: str, *addresses: str, **spec: object) -> Object:
    spec = {"clusterIPs": [*addresses], "ports": [{"port": 80}], **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def service_cidr(*cidrs: str) -> Object:
    header: Object = {"apiVersion": "networking.k8s.io/v1", "kind": "ServiceCIDR", "metadata": {"name": "c"}}
    return {**header, "spec": {"cidrs": [*cidrs]}}


BEECH = node("beech", "10.7.1.0/24", "fd07:1::/64", internal="192.0.2.1 2001:db8::1")
LARCH = node("larch", "10.7.2.0/24", "fd07:2::/64", internal="192.0.2.2 2001:db8::2")


def said(*objects: Object) -> list[str]:
    """The notes without the file, as there is none."""
    return [": ".join(part for part in note[1:] if part) for note in load_objects(objects).notes]


def addresses_of(*objects: Object) -> dict[str, list[str]]:
    return {each.name: [*map(format_address, each.addresses)] for each in load_objects(objects).pods}


# Nodes

OUT = "ovsnp leaves the node and its pods out"


@pytest.mark.parametrize(
    ("odd", "expected"),
    [
        (node("oak"), [f"spec.podCIDRs: no block for pods; {OUT} until it has one"]),
        (node("oak", "10.7.3.0/31", internal="192.0.2.3"), [
            f"spec.podCIDRs: no block for pods; {OUT} until it has one",
            "spec.podCIDRs[0]: 10.7.3.0/31 has no room for a gateway and pods; ovsnp leaves the block out",
        ]),
        (node("oak", "10.7.3.0/24"), ["status.addresses: no InternalIP, which other nodes send its pods' traffic to; "
                                      f"{OUT} until it has one"]),
        (node("oak", "10.7.3.0/24", internal="oak.local", external="192.0.2.3"), [
            f"status.addresses: no InternalIP, which other nodes send its pods' traffic to; {OUT} until it has one",
            "status.addresses[0].address: 'oak.local' is no IP address; ovsnp leaves the address out",
        ]),
        (node("oak", "10.7.0.0/16", internal="192.0.2.3"), [
            "spec.podCIDRs: 10.7.0.0/16 overlaps 10.7.1.0/24 of node beech; ovsnp leaves 10.7.0.0/16 out",
            f"spec.podCIDRs: no block is left; {OUT} until it has one",
        ]),
        (node("oak", "10.7.1.0/25", internal="192.0.2.3", conditions=UNREADY), [
            "spec.podCIDRs: 10.7.1.0/25 overlaps 10.7.1.0/24 of node beech; ovsnp leaves 10.7.1.0/25 out",
            f"spec.podCIDRs: no block is left; {OUT} until it has one",
        ]),
        (node("oak", "10.7.1.0/24", internal="192.0.2.3", conditions=UNREADY), [
            "spec.podCIDRs: 10.7.1.0/24 is the block of node beech too; ovsnp gives it to beech",
            f"spec.podCIDRs: no block is left; {OUT} until it has one",
        ]),
        (node("oak", "10.7.3.0/24", internal="192.0.2.1", conditions=UNREADY), [
            "status.addresses: 192.0.2.1 is the address of node beech too; ovsnp gives it to beech",
            f"status.addresses: no InternalIP, which other nodes send its pods' traffic to; {OUT} until it has one",
        ]),
    ],
)  # fmt: skip
def test_node_that_cannot_be_used(odd: Object, expected: list[str]) -> None:
    objects = [BEECH, pod("a", "10.7.1.9"), odd, LARCH]
    cluster = load_objects(objects)
    assert said(*objects) == [f"Node oak: {message}" for message in expected]
    assert cluster.unused_nodes == {"oak"}
    assert (cluster.nodes, cluster.pods[0].key) == (load_objects([BEECH, LARCH]).nodes, "default/a")


@pytest.mark.parametrize(
    ("odd", "expected"),
    [
        (node("oak", "10.7.3.0/24", "10.7.4.0/24", internal="192.0.2.3"), [
            "Node oak: spec.podCIDRs[1]: 10.7.4.0/24 is the node's second IPv4 block; ovsnp takes the first only"]),
        (node("oak", "10.7.3.0/24", internal="192.0.2.3", external="192.0.2.1"), [
            "Node oak: status.addresses: 192.0.2.1 is the address of node beech too; ovsnp gives it to beech"]),
        (node("oak", "10.7.3.0/24", internal="192.0.2.3 ::ffff:192.0.2.9"), [
            "Node oak: status.addresses[1].address: '::ffff:192.0.2.9' is an IPv4 address inside an IPv6 one; "
            "ovsnp leaves the address out"]),
    ],
)  # fmt: skip
def test_node_of_which_a_part_is_left_out(odd: Object, expected: list[str]) -> None:
    assert said(BEECH, LARCH, odd) == expected
    (oak,) = (each for name, each in load_objects([BEECH, LARCH, odd]).nodes.items() if name == "oak")
    assert [*map(str, oak.pod_cidrs)] == ["10.7.3.0/24"]
    assert [*map(format_address, oak.addresses)] == ["192.0.2.3"]


def test_address_of_two_nodes_is_nobodys() -> None:
    """At this address neither of the two counts as a node, for policies and for the exemption of nodes."""
    first = node("oak", "10.7.3.0/24", internal="192.0.2.3", external="198.51.100.1")
    second = node("pine", "10.7.4.0/24", internal="192.0.2.4", external="198.51.100.1")
    assert said(first, second) == [
        "Node oak: status.addresses: 198.51.100.1 is the address of node pine too; ovsnp gives it to no node",
        "Node pine: status.addresses: 198.51.100.1 is the address of node oak too; ovsnp gives it to no node",
    ]
    assert [len(each.addresses) for each in load_objects([first, second]).nodes.values()] == [1, 1]


@pytest.mark.parametrize(
    ("left", "right", "kept"),
    [
        (READY, UNREADY, ["oak"]),
        (None, UNREADY, ["oak"]),
        (UNREADY, READY, ["pine"]),
        (READY, READY, []),
        (UNREADY, UNREADY, []),
        (None, None, []),
    ],
)
@pytest.mark.parametrize("shared", ["address", "block"])
def test_ready_node_keeps_what_two_claim(
    left: list[Object], right: list[Object], kept: list[str], *, shared: str
) -> None:
    """For example after the machine of a node was installed again under a new name; other nodes go on."""
    cidrs, addresses = ("10.7.3.0/24", "10.7.4.0/24"), ("192.0.2.3", "192.0.2.4")
    if shared == "block":
        cidrs = ("10.7.3.0/24", "10.7.3.0/24")
    else:
        addresses = ("192.0.2.3", "192.0.2.3")
    oak = node("oak", cidrs[0], internal=addresses[0], conditions=left)
    pine = node("pine", cidrs[1], internal=addresses[1], conditions=right)
    assert [*load_objects([BEECH, oak, pine]).nodes] == ["beech", *kept]


def test_node_that_is_being_deleted_gives_way() -> None:
    gone = node("oak", "10.7.3.0/24", internal="192.0.2.1")
    gone["metadata"] = {"name": "oak", "deletionTimestamp": "2026-01-01T00:00:00Z"}
    assert [*load_objects([BEECH, gone, LARCH]).nodes] == ["beech", "larch"]


@pytest.mark.parametrize(
    ("internal", "kept", "version"),
    [
        (["192.0.2.1 2001:db8::1", "2001:db8::2 192.0.2.2"], 2, 4),
        (["2001:db8::1 192.0.2.1", "2001:db8::2 192.0.2.2"], 2, 6),
        (["2001:db8::1 192.0.2.1", "2001:db8::2 192.0.2.2", "192.0.2.3 2001:db8::3"], 3, 6),
        (["2001:db8::1 192.0.2.1", "2001:db8::2 192.0.2.2", "192.0.2.3"], 3, 4),
        (["192.0.2.1", "192.0.2.2 2001:db8::2", "2001:db8::3"], 2, 4),
        (["2001:db8::1", "192.0.2.2 2001:db8::2", "2001:db8::3", "192.0.2.4"], 3, 6),
        (["192.0.2.1", "2001:db8::2"], 1, 4),
        (["192.0.2.1", "2001:db8::2", ""], 1, 4),
        ([""], 1, 0),
    ],
)
def test_tunnels_have_one_family(internal: list[str], kept: int, version: int) -> None:
    """The family that most nodes have; of two, the one that most nodes list first, or else IPv4."""
    nodes = [node(f"n{index}", f"10.7.{index}.0/24", internal=texts) for index, texts in enumerate(internal)]
    for order in (nodes, nodes[::-1]):
        cluster = load_objects(order)
        lengths = [len(each.tunnel_address or b"") for each in cluster.nodes.values()]
        assert lengths == [{0: 0, 4: 4, 6: 16}[version]] * kept
        assert len(cluster.unused_nodes) == len(internal) - kept


def test_node_without_the_tunnels_family() -> None:
    odd = node("oak", "10.7.3.0/24", internal="2001:db8::3")
    four = [node(name, cidr, internal=address) for name, cidr, address in (
        ("beech", "10.7.1.0/24", "192.0.2.1"), ("larch", "10.7.2.0/24", "192.0.2.2"))]  # fmt: skip
    assert said(*four, odd) == [
        "Node oak: status.addresses: no IPv4 InternalIP, and the tunnels of the other nodes are IPv4; "
        f"{OUT} until it has one"
    ]


# Pods


@pytest.mark.parametrize(
    ("odd", "expected"),
    [
        (pod("p", "10.7.1.2", on=None), "spec.nodeName: missing, and the input has Node objects; "
         "ovsnp leaves the pod out"),
        (pod("p", "10.7.1.2", on="elder"), "spec.nodeName: there is no node 'elder'; ovsnp leaves the pod out"),
        (pod("p", "10.7.1.2", on="oak"), "spec.nodeName: ovsnp leaves out node oak; ovsnp leaves the pod out"),
        (pod("p", "10.7.2.2"), "status.podIPs[0].ip: 10.7.2.2 is in a pod CIDR of node larch, and the pod is on node "
         "beech; ovsnp leaves the address out"),
        (pod("p", "10.7.9.2"), "status.podIPs[0].ip: 10.7.9.2 is not in a pod CIDR (10.7.1.0/24, fd07:1::/64) of node "
         "beech; ovsnp leaves the address out"),
        (pod("p", "10.7.1.1"), "status.podIPs[0].ip: 10.7.1.1 is the address of node beech too; "
         "ovsnp leaves the address out"),
        (pod("p", "10.7.1"), "status.podIPs[0].ip: '10.7.1' is no IP address; ovsnp leaves the address out"),
        (pod("p", "10.7.1.2", phase="Resting"), "status.phase: 'Resting' is no phase that ovsnp knows; "
         "ovsnp leaves the pod out"),
    ],
)  # fmt: skip
def test_pod_that_cannot_be_used(odd: Object, expected: str) -> None:
    objects = [BEECH, LARCH, node("oak"), pod("a", "10.7.1.9"), odd]
    assert [line for line in said(*objects) if "Node" not in line.split(":")[0]] == [f"Pod default/p: {expected}"]
    cluster = load_objects(objects)
    assert [each.name for each in cluster.pods] == ["a"]
    assert cluster.idle == {"default/p"}


def test_pod_of_which_an_address_is_left_out() -> None:
    objects = [BEECH, pod("p", "10.7.9.2", "fd07:1::2", "fd07:1::3")]
    assert said(*objects) == [
        "Pod default/p: status.podIPs[0].ip: 10.7.9.2 is not in a pod CIDR (10.7.1.0/24, fd07:1::/64) of node beech; "
        "ovsnp leaves the address out",
        "Pod default/p: status.podIPs[2].ip: fd07:1::3 is the pod's second IPv6 address; ovsnp takes the first only",
    ]
    assert addresses_of(*objects) == {"p": ["fd07:1::2"]}
    assert load_objects(objects).idle == frozenset()


@pytest.mark.parametrize("nodes", [[BEECH], []])
def test_one_address_of_two_pods(nodes: list[Object]) -> None:
    """The address belongs to no pod, the pods keep their other addresses, and the order does not matter."""
    pods = [pod("a", "10.7.1.2"), pod("b", "fd07:1::2", "10.7.1.2"), pod("c", "10.7.1.3")]
    assert said(*nodes, *pods) == [
        "Pod default/a: status.podIPs: 10.7.1.2 is the address of pod default/b too; ovsnp gives it to no pod",
        "Pod default/b: status.podIPs: 10.7.1.2 is the address of pod default/a too; ovsnp gives it to no pod",
    ]
    for order in (pods, pods[::-1]):
        assert addresses_of(*nodes, *order) == {"b": ["fd07:1::2"], "c": ["10.7.1.3"]}
        assert load_objects([*nodes, *order]).idle == {"default/a"}


@pytest.mark.parametrize(("ending", "holder"), [("bc", ["a"]), ("abc", []), ("a", []), ("", [])])
def test_ending_pod_gives_its_address_to_a_living_one(ending: str, holder: list[str]) -> None:
    pods = [pod(name, "10.7.1.2", ending=name in ending) for name in "abc"]
    for order in (pods, pods[::-1]):
        assert [*addresses_of(BEECH, *order)] == holder


def test_note_of_a_pod_that_gives_way() -> None:
    assert said(BEECH, pod("a", "10.7.1.2"), pod("b", "10.7.1.2", ending=True)) == [
        "Pod default/b: status.podIPs: 10.7.1.2 is the address of pod default/a too; "
        "ovsnp gives it to default/a, as this pod is terminating"
    ]


def test_ending_pod_alone_is_a_pod() -> None:
    assert said(BEECH, pod("a", "10.7.1.2", ending=True)) == []
    assert [*addresses_of(BEECH, pod("a", "10.7.1.2", ending=True))] == ["a"]


@pytest.mark.parametrize("phase", ["Pending", "Running", "Unknown", "", None])
def test_phases_of_living_pods(phase: str | None) -> None:
    assert [*addresses_of(BEECH, pod("a", "10.7.1.2", phase=phase))] == ["a"]
    assert said(BEECH, pod("a", "10.7.1.2", phase=phase)) == []


def test_host_pods_have_addresses_of_their_node() -> None:
    """Such a pod takes no address from another object, and is no reason for a note."""
    hosts = [
        pod("h", "192.0.2.1", "2001:db8::1", hostNetwork=True),
        pod("i", "192.0.2.1", hostNetwork=True),
        pod("j", "10.7.1.2", hostNetwork=True),
        pod("k", "192.0.2.1", on="elder", hostNetwork=True),
        pod("l", "192.0.2.1", phase="Failed", hostNetwork=True),
    ]
    cluster = load_objects([BEECH, pod("a", "10.7.1.2"), *hosts])
    assert [each.name for each in cluster.pods] == ["a"]
    held = {each.name: [*map(format_address, each.addresses)] for each in cluster.host_pods}
    assert held == {"h": ["192.0.2.1", "2001:db8::1"], "i": ["192.0.2.1"]}
    assert [each.name for each in cluster.ended_pods] == ["l"]
    assert cluster.idle == {f"default/{name}" for name in "hijkl"}
    assert cluster.notes == ()


# Services and their endpoints


@pytest.mark.parametrize(
    ("odd", "expected"),
    [
        (service("s", "10.7.1.2"), "spec.clusterIPs[0]: 10.7.1.2 is the address of pod default/a too; ovsnp leaves"),
        (service("s", "192.0.2.1"), "spec.clusterIPs[0]: 192.0.2.1 is the address of node beech too; ovsnp leaves"),
        (service("s", "10.7.1.1"), "spec.clusterIPs[0]: 10.7.1.1 is the address of node beech too; ovsnp leaves"),
        (service("s", "10.7.1.7"), "spec.clusterIPs[0]: 10.7.1.7 is in 10.7.1.0/24, where the pods of node beech are; "
         "ovsnp leaves"),
        (service("s", "10.96.0.1", clusterIP="10.96.0.1"), "spec.clusterIPs[0]: 10.96.0.1 is the cluster IP of Service "
         "default/t too; ovsnp leaves"),
    ],
)  # fmt: skip
def test_cluster_ip_that_is_left_out(odd: Object, expected: str) -> None:
    objects = [BEECH, pod("a", "10.7.1.2"), service("t", "10.96.0.1"), odd]
    lines = [line for line in said(*objects) if line.startswith("Service default/s")]
    assert lines == [f"Service default/s: {expected} the cluster IP out"]
    assert "s" not in {each.name for each in load_objects(objects).services}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"ports": None}, "spec.ports: missing; ovsnp lets nothing pass to the cluster IP"),
        ({"ports": []}, "spec.ports: missing; ovsnp lets nothing pass to the cluster IP"),
        ({"sessionAffinity": "Cookie"}, "spec.sessionAffinity: 'Cookie' is no session affinity that ovsnp knows; ovsnp "
         "reads it as None"),
        ({"internalTrafficPolicy": "Zone"}, "spec.internalTrafficPolicy: 'Zone' is no internal traffic policy that "
         "ovsnp knows; ovsnp reads it as Cluster"),
        ({"ports": [{"port": 80, "protocol": "QUIC"}]}, "spec.ports[0].protocol: 'QUIC' is no protocol that ovsnp "
         "knows; ovsnp leaves the port out"),
    ],
)  # fmt: skip
def test_service_of_a_later_api_version(spec: Object, expected: str) -> None:
    odd = service("s", "10.96.0.1", **spec)
    assert said(odd) == [f"Service default/s: {expected}"]
    (found,) = load_objects([odd]).services
    assert (found.affinity, found.local) == (None, False)
    assert [port.number for port in found.ports] == ([] if "ports" in spec else [80])


def test_ports_of_protocols_to_come_are_left_out() -> None:
    ports = [{"name": name, "protocol": name.upper(), "containerPort": 80} for name in ("quic", "tcp")]
    serving = pod("a", "10.7.1.2", containers=[{"ports": ports}])
    slice_ports = [{"name": each["name"], "protocol": each["protocol"], "port": 80} for each in ports]
    of_service = {
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4", "ports": slice_ports,
        "metadata": {"name": "s", "labels": {"kubernetes.io/service-name": "s"}}, "endpoints": [],
    }  # fmt: skip
    unknown = "protocol: 'QUIC' is no protocol that ovsnp knows; ovsnp leaves the port out"
    objects = [BEECH, serving, of_service]
    assert said(*objects) == [
        f"Pod default/a: spec.containers[0].ports[0].{unknown}",
        f"EndpointSlice default/s: ports[0].{unknown}",
    ]
    cluster = load_objects(objects)
    assert [port.name for port in cluster.pods[0].ports] == ["tcp"]
    assert [port.name for port in cluster.slices[0].ports] == ["tcp"]


def test_one_cluster_ip_of_two_services() -> None:
    objects = [service("s", "10.96.0.1", "fd96::1"), service("t", "10.96.0.1"), service("u", "10.96.0.2")]
    assert said(*objects) == [
        f"Service default/{name}: spec.clusterIPs[0]: 10.96.0.1 is the cluster IP of Service default/{other} too; "
        "ovsnp leaves the cluster IP out"
        for name, other in ("st", "ts")
    ]
    found = {each.name: [*map(format_address, each.cluster_ips)] for each in load_objects(objects).services}
    assert found == {"s": ["fd96::1"], "u": ["10.96.0.2"]}


def test_cluster_ip_outside_the_service_cidrs_counts() -> None:
    objects = [service_cidr("10.97.0.0/16"), service("s", "10.96.0.1", "fd96::1")]
    assert said(*objects) == [
        "Service default/s: spec.clusterIPs[0]: 10.96.0.1 is in no ServiceCIDR (10.97.0.0/16); "
        "ovsnp takes the cluster IP all the same"
    ]
    assert len(load_objects(objects).services[0].cluster_ips) == 2


def test_service_cidr_around_pods() -> None:
    objects = [BEECH, service_cidr("fd96::/112", "10.0.0.0/8")]
    assert said(*objects) == [
        "ServiceCIDR c: spec.cidrs[1]: 10.0.0.0/8 overlaps 10.7.1.0/24, where the pods of node beech are; "
        "ovsnp leaves the block out"
    ]
    assert [*map(str, load_objects(objects).service_cidrs)] == ["fd96::/112"]


def test_type_of_a_service_that_is_unknown() -> None:
    objects = [service("s", "10.96.0.1", type="Mesh")]
    assert said(*objects) == [
        "Service default/s: spec.type: 'Mesh' is no type of Service that ovsnp knows; ovsnp leaves the Service out"
    ]
    assert load_objects(objects).services == ()


def endpoint_slice(*endpoints: Object, of: str = "s", type_: str | None = "IPv4") -> Object:
    metadata = {"name": f"{of}-1", "labels": {"kubernetes.io/service-name": of}}
    header: Object = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": metadata}
    return {**header, "addressType": type_, "endpoints": [*endpoints], "ports": [{"port": 8080}]}


@pytest.mark.parametrize(
    ("type_", "what"), [("Name", "'Name' is no address type that ovsnp knows"), (None, "missing"), ("", "missing")]
)
def test_address_type_that_is_unknown(type_: str | None, what: str) -> None:
    objects = [service("s", "10.96.0.1"), endpoint_slice({"addresses": ["10.7.1.2"]}, type_=type_)]
    assert said(*objects) == [f"EndpointSlice default/s-1: addressType: {what}; ovsnp leaves the slice out"]
    assert load_objects(objects).slices == ()


def endpoints_of(*objects: Object) -> list[str]:
    return [format_address(each.address) for item in load_objects(objects).slices for each in item.endpoints]


def test_endpoint_of_a_pod_that_is_left_out_is_left_out() -> None:
    """If the slice names a pod that does not have the address; an endpoint that names no pod is kept."""
    odd = [pod("a", "10.7.9.9"), pod("b", "10.7.1.2"), pod("c", "10.7.1.2"), pod("d", "10.7.3.3", on="elder"),
           pod("e", "10.7.1.5", ending=True), pod("f", "10.7.1.5"),
           pod("h", "192.0.2.1", hostNetwork=True)]  # fmt: skip
    target = {name: {"targetRef": {"kind": "Pod", "name": name}} for name in "abcdefh"}
    written = [
        ("a", "10.7.9.9"), ("b", "10.7.1.2"), ("d", "10.7.3.3"), ("e", "10.7.1.5"), ("f", "10.7.1.5"),
        ("h", "192.0.2.1"), ("", "10.7.9.9"), ("", "198.51.100.9"),
    ]  # fmt: skip
    item = endpoint_slice(*({"addresses": [address], **target.get(name, {})} for name, address in written))
    assert endpoints_of(BEECH, *odd, item) == ["10.7.1.5", "192.0.2.1", "10.7.9.9", "198.51.100.9"]


# Endpoints of the core API


def endpoints(*subsets: Object, of: str = "s") -> Object:
    return {"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": of}, "subsets": [*subsets]}


SUBSET: Object = {
    "addresses": [{"ip": "192.0.2.77"}, {"ip": "10.7.9.9", "targetRef": {"kind": "Pod", "name": "a"}}],
    "notReadyAddresses": [{"ip": "192.0.2.78", "nodeName": "beech"}],
    "ports": [{"name": "sql", "port": 5432}, {"port": 53, "protocol": "UDP"}],
}


def test_endpoints_stand_for_slices() -> None:
    cluster = load_objects([BEECH, pod("a", "10.7.9.9"), service("s", "10.96.0.1"), endpoints(SUBSET)])
    (item,) = cluster.slices
    assert [(port.name, str(port.protocol), port.number) for port in item.ports] == [
        ("sql", "TCP", 5432),
        ("", "UDP", 53),
    ]
    found = [(format_address(each.address), each.node, each.ready, each.serving) for each in item.endpoints]
    assert found == [("192.0.2.77", None, True, True), ("192.0.2.78", "beech", False, False)]


@pytest.mark.parametrize(
    "others",
    [
        [],
        [service("s", "10.96.0.1", selector={"a": "b"})],
        [service("s", "None")],
        [service("t", "10.96.0.1")],
    ],
)
def test_endpoints_that_do_not_count(others: list[Object]) -> None:
    assert endpoints_of(*others, endpoints(SUBSET)) == []
    assert said(*others, endpoints({"addresses": [{"ip": "x"}]})) == []


def test_slices_come_before_endpoints() -> None:
    objects = [service("s", "10.96.0.1"), endpoints(SUBSET), endpoint_slice({"addresses": ["192.0.2.80"]})]
    assert endpoints_of(*objects) == ["192.0.2.80"]


def test_endpoints_that_cannot_be_read() -> None:
    odd = {"addresses": [{"ip": "x"}, None, {"ip": "192.0.2.77"}], "ports": [None, {"port": 0}, {"port": 80}]}
    assert said(service("s", "10.96.0.1"), endpoints(odd, None)) == [  # type: ignore[arg-type]
        "Endpoints default/s: subsets[0].addresses[0].ip: 'x' is no IP address; ovsnp leaves the address out",
        "Endpoints default/s: subsets[0].ports[0]: is no port; ovsnp leaves the port out",
        "Endpoints default/s: subsets[0].ports[1]: is no port; ovsnp leaves the port out",
    ]


# Namespaces, places, and other kinds


def test_namespace_without_object_is_noted_once() -> None:
    pods = [pod(name, "10.7.1.2", phase="Failed") for name in "ab"]
    for each in pods:
        each["metadata"] = {"name": each["metadata"]["name"], "namespace": "shed"}  # type: ignore[index]
    system = pod("c", phase="Failed")
    system["metadata"] = {"name": "c", "namespace": "kube-system"}
    assert said(*pods, system) == [
        "Pod shed/a: metadata.namespace: the input has no Namespace shed; "
        "ovsnp assumes that it exists, with the label kubernetes.io/metadata.name only"
    ]
    cluster = load_objects([*pods, system])
    assert cluster.namespaces["shed"].labels == {"kubernetes.io/metadata.name": "shed"}
    assert cluster.assumed_namespaces == {"shed"}


def test_many_namespaces_without_objects_have_one_note(notes: Notes) -> None:
    pods = [pod(name, "10.7.1.2", phase="Failed") for name in "dcba"]
    for each in pods:
        each["metadata"]["namespace"] = f"shed-{each['metadata']['name']}"  # type: ignore[index]
    few, many = (notes(yaml.safe_dump_all(each)) for each in (pods[1:], [*pods, *pods]))
    assert [line.partition(": ")[2].partition("; ")[0] for line in few] == [
        f"Pod shed-{name}/{name}: metadata.namespace: the input has no Namespace shed-{name}" for name in "cba"
    ]
    assert many == [
        "in.yaml:5: Pod shed-d/d: metadata.namespace: "
        "the input has no Namespace for 4 namespaces (shed-a, shed-b, shed-c, shed-d); "
        "ovsnp assumes that they exist, with the label kubernetes.io/metadata.name only"
    ]


@pytest.mark.parametrize("notation", ["yaml", "json"])
def test_notes_have_places(notes: Notes, notation: str) -> None:
    objects = [BEECH, pod("b", "10.7.9.9"), node("oak")]
    if notation == "json":
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}, indent=1)
    else:
        text = yaml.safe_dump_all(objects)
    lines = notes(text)
    assert [line.split(": ")[1] for line in lines] == ["Pod default/b", "Node oak"]
    file, number = lines[0].split(": ")[0].split(":")
    assert file == "in.yaml"
    assert "10.7.9.9" in text.splitlines()[int(number) - 1]


def test_notes_are_no_part_of_what_is_wrong(load_text: Load) -> None:
    assert load_text("kind: Secret\napiVersion: v1\n").notes == ()


OTHERS = """\
apiVersion: example.com/v1
kind: Report
metadata: {name: twice, name: two}
? {x: y}
: z
spec: {a: &a 1, b: *unknown, ? [x] : y, 5: z, c: !!binary aGk=, d: !own {x: y}, <<: 5}
"""


def test_other_kinds_may_be_odd_inside(load_text: Load) -> None:
    """Mistakes matter only in objects that are read, in YAML as in JSON."""
    doubled = '{"apiVersion": "v1", "kind": "Secret", "metadata": {}, "metadata": 5}'
    listed = f"apiVersion: v1\nkind: List\nitems:\n- {doubled}\n- {json.dumps(pod('a', '10.7.1.2'))}\n"
    for text in (OTHERS, doubled, listed, f"{OTHERS}---\n{doubled}\n"):
        assert load_text(text).notes == ()
    assert [each.name for each in load_text(f"{OTHERS}---\n{listed}").pods] == ["a"]


def test_fields_of_workloads_that_nobody_reads_may_be_odd(load_text: Load) -> None:
    odd = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, annotations: {a: b, a: c}}
spec: {replicas: x, template: {metadata: {labels: {app: cart}}, spec: {volumes: {a: *unknown, ? [x] : y}}}}
"""
    assert [each.labels for each in load_text(odd).planned] == [{"app": "cart"}]


def test_fields_of_workloads_that_are_read_are_written_once(mistakes: Notes) -> None:
    doubled = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: cart}\nspec:\n  template:\n    metadata:\n"
    assert mistakes(f"{doubled}      labels:\n        app: cart\n        app: till\n") == [
        "in.yaml:9: Deployment default/cart: spec.template.metadata.labels.app: "
        "written twice in one mapping; keep one of the two"
    ]


def test_kind_written_twice_is_a_mistake_in_every_kind(mistakes: Notes) -> None:
    assert mistakes("apiVersion: v1\nkind: NetworkPolicy\nkind: Secret\nmetadata: {name: x}\n") == [
        "in.yaml:3: Secret default/x: kind: written twice in one mapping; keep one of the two"
    ]
