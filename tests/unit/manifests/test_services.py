"""The clusters that valid Services, EndpointSlices and ServiceCIDRs give."""

import json
from collections.abc import Callable
from itertools import permutations

import pytest
import yaml

from ovsnp.errors import Place
from ovsnp.manifests import load_objects
from ovsnp.model.address import parse_address, parse_prefix
from ovsnp.model.cluster import Cluster
from ovsnp.model.ports import Protocol
from ovsnp.model.selector import Operator, Requirement, Selector
from ovsnp.model.service import EndpointSlice, Service, ServicePort, SliceEndpoint, SlicePort
from tests.support.service_objects import CIDR, OBJECTS, SERVICE, SLICE, Object
from tests.support.without_places import bare

VERSIONS = {"EndpointSlice": "discovery.k8s.io/v1", "ServiceCIDR": "networking.k8s.io/v1"}
IPV4, IPV6 = parse_address("10.96.0.10"), parse_address("fd00:96::10")


def _object(kind: str, name: str, labels: dict[str, str] | None = None, **fields: object) -> Object:
    metadata = {"name": name, **({"labels": labels} if labels else {})}
    return {"apiVersion": VERSIONS.get(kind, "v1"), "kind": kind, "metadata": metadata, **fields}


def _service(name: str = "web", **spec: object) -> Object:
    return _object("Service", name, spec={"clusterIP": "10.96.0.10", "ports": [{"port": 80}], **spec})


def _slice(name: str = "web-a", service: str = "web", **fields: object) -> Object:
    return _object("EndpointSlice", name, {"kubernetes.io/service-name": service}, addressType="IPv4", **fields)


def test_everything() -> None:
    cluster = load_objects(OBJECTS)
    assert cluster.services == (
        Service(
            namespace="default",
            name="web",
            cluster_ips=(IPV4, IPV6),
            ports=(
                ServicePort("http", Protocol.TCP, 80, "web"),
                ServicePort("dns", Protocol.UDP, 53, 5353),
                ServicePort("dns-tcp", Protocol.TCP, 53, 53),
            ),
            selector=Selector(
                (
                    Requirement("a", Operator.IN, ("1",)),
                    Requirement("b", Operator.IN, ("2",)),
                    Requirement("example.com/tier", Operator.IN, ("",)),
                )
            ),
            affinity=60,
            local=True,
            unready=True,
            place=Place("api", 0),
        ),
    )
    assert cluster.slices == (
        EndpointSlice(
            namespace="default",
            name="web-a",
            service="web",
            ports=(
                SlicePort("http", Protocol.TCP, 8080),
                SlicePort("dns", Protocol.UDP, 5353),
                SlicePort("", Protocol.TCP, 9),
            ),
            endpoints=(
                SliceEndpoint(parse_address("10.0.1.2"), "n1", ready=False, serving=True),
                SliceEndpoint(parse_address("192.0.2.7"), None, ready=True, serving=True),
            ),
            place=Place("api", 1),
        ),
    )
    assert cluster.service_cidrs == (parse_prefix("10.96.0.0/12"), parse_prefix("fd00:96::/112"))
    assert list(cluster.namespaces) == ["default"]


def test_fields_that_are_not_read() -> None:
    """Objects of the API have many more fields, and will have others."""
    ports = [{**port, "nodePort": 30080, "appProtocol": "x"} for port in SERVICE["spec"]["ports"]]
    spec = {"externalTrafficPolicy": "Local", "ipFamilies": ["IPv4"], "type": "LoadBalancer", "ports": ports}
    service = {**SERVICE, "spec": {**SERVICE["spec"], **spec}, "status": {"loadBalancer": {"ingress": [{"ip": "x"}]}}}
    endpoints = [{**item, "zone": "z", "hints": {}, "targetRef": {"uid": 5}} for item in SLICE["endpoints"]]
    endpoint_slice = {**SLICE, "endpoints": endpoints, "ports": [{**port, "x": []} for port in SLICE["ports"]]}
    objects = [service, endpoint_slice, {**CIDR, "status": {"conditions": 5}}]
    assert load_objects(objects) == load_objects(OBJECTS)


def test_json_and_yaml_in_any_order(load_text: Callable[..., Cluster]) -> None:
    more = [_service("a", clusterIP="10.96.0.3"), _slice("a-1", "a"), _object("ServiceCIDR", "a", spec=CIDR["spec"])]
    objects = [*OBJECTS, *more]
    expected = bare(load_objects(objects))
    assert [service.name for service in expected.services] == ["a", "web"]
    assert [item.name for item in expected.slices] == ["a-1", "web-a"]
    for shuffled in list(permutations(objects))[::60]:
        listed = {"apiVersion": "v1", "kind": "List", "items": shuffled}
        assert bare(load_text(json.dumps(listed))) == expected
        assert bare(load_text(yaml.safe_dump_all(shuffled))) == expected


def test_typed_lists(load_text: Callable[..., Cluster]) -> None:
    """As in answers of the API, without kind and apiVersion in the items."""
    lists = [
        {"apiVersion": item["apiVersion"], "kind": f"{item['kind']}List", "items": [{**item, "kind": None}]}
        for item in OBJECTS
    ]
    assert bare(load_text("".join(map(json.dumps, lists)))) == bare(load_objects(OBJECTS))


@pytest.mark.parametrize("version", ["v1", "v1beta1", "v1alpha1"])
def test_versions_of_service_cidrs(version: str) -> None:
    cidr = {**CIDR, "apiVersion": f"networking.k8s.io/{version}"}
    assert len(load_objects([cidr]).service_cidrs) == 2


def test_equal_objects_count_once() -> None:
    again = json.loads(json.dumps(OBJECTS))
    for item in again:
        item["metadata"]["resourceVersion"] = "7"
    assert bare(load_objects(OBJECTS + again)) == bare(load_objects(OBJECTS))


def test_defaults() -> None:
    (service,) = load_objects([_service()]).services
    assert service.cluster_ips == (IPV4,)
    assert service.ports == (ServicePort("", Protocol.TCP, 80, 80),)
    assert (service.selector, service.affinity, service.local, service.unready) == (None, None, False, False)


@pytest.mark.parametrize(
    "spec",
    [
        {"selector": {}, "sessionAffinity": "None", "internalTrafficPolicy": "Cluster", "type": "ClusterIP"},
        {"selector": None, "sessionAffinity": None, "internalTrafficPolicy": None, "type": None},
        {"sessionAffinity": "", "type": "", "publishNotReadyAddresses": False},
        {"sessionAffinity": "None", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 60}}},
        {"clusterIPs": [], "ports": [{"port": 80, "name": None, "protocol": None, "targetPort": None}]},
        {"clusterIPs": ["10.96.0.10"], "clusterIP": None, "ports": [{"port": 80, "name": "", "targetPort": 0}]},
        {"clusterIPs": ["10.96.0.10"], "clusterIP": "", "ports": [{"port": 80, "targetPort": ""}]},
        {"type": "NodePort", "ports": [{"port": 80, "nodePort": 30080}]},
    ],
)
def test_what_says_no_more_than_the_defaults(spec: Object) -> None:
    assert bare(load_objects([_service(**spec)])) == bare(load_objects([_service()]))


@pytest.mark.parametrize("config", [None, {}, {"clientIP": None}, {"clientIP": {}}])
def test_default_timeout(config: object) -> None:
    (service,) = load_objects([_service(sessionAffinity="ClientIP", sessionAffinityConfig=config)]).services
    assert service.affinity == 10_800


@pytest.mark.parametrize("seconds", [1, 86_400])
def test_longest_and_shortest_timeout(seconds: int) -> None:
    config = {"clientIP": {"timeoutSeconds": seconds}}
    (service,) = load_objects([_service(sessionAffinity="ClientIP", sessionAffinityConfig=config)]).services
    assert service.affinity == seconds


@pytest.mark.parametrize(
    "spec",
    [
        None,
        {},
        {"ports": [{"port": 80}]},
        {"clusterIP": "", "ports": [{"port": 80}]},
        {"clusterIP": "None"},
        {"clusterIP": "None", "clusterIPs": ["None"], "ports": [{"port": 80}]},
        {"clusterIPs": ["None"]},
        {"type": "ExternalName", "externalName": "example.com"},
        {"type": "ExternalName", "externalName": "example.com", "clusterIP": "10.96.0.10"},
    ],
)
def test_services_without_cluster_ip(spec: object) -> None:
    assert load_objects([_object("Service", "s", spec=spec)]).services == ()


@pytest.mark.parametrize(
    ("labels", "address_type"),
    [
        (None, "IPv4"),
        ({"kubernetes.io/service-name": ""}, "IPv4"),
        ({"kubernetes.io/service-name": "web"}, "FQDN"),
    ],
)
def test_slices_that_do_not_count(labels: dict[str, str] | None, address_type: str) -> None:
    endpoints = [{"addresses": ["example.com"]}]
    item = _object("EndpointSlice", "s", labels, addressType=address_type, endpoints=endpoints)
    assert load_objects([item]).slices == ()


@pytest.mark.parametrize(
    ("conditions", "ready", "serving"),
    [
        (None, True, True),
        ({}, True, True),
        ({"ready": None, "serving": None, "terminating": None}, True, True),
        ({"ready": True, "serving": True, "terminating": True}, True, True),
        ({"ready": True, "serving": False}, True, False),
        ({"ready": False}, False, False),
        ({"ready": False, "terminating": True}, False, False),
        ({"ready": False, "serving": True}, False, False),
        ({"ready": False, "serving": True, "terminating": False}, False, False),
        ({"ready": False, "serving": True, "terminating": True}, False, True),
        ({"ready": False, "serving": False, "terminating": True}, False, False),
    ],
)
def test_conditions(conditions: object, *, ready: bool, serving: bool) -> None:
    (item,) = load_objects([_slice(endpoints=[{"addresses": ["10.0.0.1"], "conditions": conditions}])]).slices
    assert [(endpoint.ready, endpoint.serving) for endpoint in item.endpoints] == [(ready, serving)]


def test_slices_in_short() -> None:
    """The optional fields of a slice. A port without a number means all ports, and no Service has such a port."""
    (item,) = load_objects([_slice(endpoints=None, ports=None)]).slices
    assert (item.endpoints, item.ports) == ((), ())
    ports = [{}, {"name": "a", "port": None}, {"name": "b", "port": 1, "protocol": "SCTP"}]
    (item,) = load_objects([_slice(ports=ports)]).slices
    assert item.ports == (SlicePort("b", Protocol.SCTP, 1),)


def test_addresses_of_endpoints() -> None:
    """Addresses of no pod, of a pod and of a node, next to the blocks with a special meaning."""
    texts = ["10.0.0.1", "192.0.2.1", "0.0.0.1", "169.253.1.1", "223.255.255.255", "240.0.0.1"]
    (item,) = load_objects([_slice(endpoints=[{"addresses": [text]} for text in texts])]).slices
    assert [endpoint.address for endpoint in item.endpoints] == [parse_address(text) for text in texts]
    texts = ["fd00::1", "::2", "1::1", "fec0::1", "fe00::1"]
    six = {**_slice(endpoints=[{"addresses": [text]} for text in texts]), "addressType": "IPv6"}
    (item,) = load_objects([six]).slices
    assert [endpoint.address for endpoint in item.endpoints] == [parse_address(text) for text in texts]


def test_cluster_ips_beside_other_addresses() -> None:
    """Outside of the nodes' blocks; anywhere, if the only ServiceCIDR is of the other family."""
    status = {"addresses": [{"type": "InternalIP", "address": "192.168.0.1"}]}
    node = _object("Node", "n1", spec={"podCIDRs": ["10.95.0.0/16", "::/64"]}, status=status)
    six = _object("ServiceCIDR", "six", spec={"cidrs": ["fd00:96::/112"]})
    cluster = load_objects([node, six, _service(), _service("b", clusterIP="10.94.255.255")])
    assert [service.name for service in cluster.services] == ["b", "web"]


def test_two_service_cidrs() -> None:
    """They may overlap; each cluster IP is in one of them."""
    blocks = ["10.96.0.0/24", "10.96.0.0/16", "10.97.0.0/16"]
    cidrs = [_object("ServiceCIDR", f"c{index}", spec={"cidrs": [block]}) for index, block in enumerate(blocks)]
    cluster = load_objects([*cidrs, _service(), _service("b", clusterIP="10.97.0.1")])
    assert cluster.service_cidrs == tuple(sorted(map(parse_prefix, blocks)))
