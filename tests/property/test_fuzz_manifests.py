"""Broken manifests: `InputError` is the only exception, and every object that loads keeps all restrictions."""

import copy
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ovsnp.errors import InputError
from ovsnp.manifests import load
from ovsnp.model.address import format_address
from ovsnp.model.cluster import Cluster
from ovsnp.model.policy import IPBlock, NetworkPolicy, Peer, Rule
from ovsnp.model.selector import Selector
from ovsnp.model.service import EndpointSlice, Service
from tests.support.service_objects import OBJECTS as OBJECTS_OF_SERVICES
from tests.support.service_objects import SERVICE, SLICE

BOUNDED = settings(
    derandomize=True, deadline=None, max_examples=250, database=None, suppress_health_check=list(HealthCheck)
)

SPEC: dict[str, Any] = {
    "podSelector": {
        "matchLabels": {"app": "web", "example.com/tier": ""},
        "matchExpressions": [
            {"key": "env", "operator": "In", "values": ["prod", "test"]},
            {"key": "old", "operator": "DoesNotExist"},
        ],
    },
    "policyTypes": ["Ingress", "Egress"],
    "ingress": [
        {
            "from": [
                {"podSelector": {"matchLabels": {"app": "db"}}, "namespaceSelector": {"matchLabels": {"team": "a"}}},
                {"namespaceSelector": {"matchExpressions": [{"key": "x", "operator": "Exists"}]}},
                {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16", "10.2.0.0/16"]}},
            ],
            "ports": [{"protocol": "TCP", "port": 80, "endPort": 90}, {"protocol": "UDP", "port": "dns"}],
        },
        {"ports": [{"port": 443}]},
    ],
    "egress": [{"to": [{"ipBlock": {"cidr": "fd00::/8", "except": ["fd01::/16"]}}], "ports": [{"protocol": "SCTP"}]}],
}
POLICY: dict[str, Any] = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "np", "labels": {"a": "b"}},
    "spec": SPEC,
}
OTHERS: list[dict[str, Any]] = [
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ns", "labels": {"team": "a"}}},
    {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "n1"},
        "spec": {"podCIDR": "10.0.1.0/24", "podCIDRs": ["10.0.1.0/24", "fd00:1::/64"]},
        "status": {"addresses": [{"type": "InternalIP", "address": "192.168.0.1"}]},
    },
    {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": "ns", "labels": {"app": "web"}},
        "spec": {
            "nodeName": "n1",
            "containers": [{"name": "c", "ports": [{"name": "web", "containerPort": 80, "protocol": "TCP"}]}],
            "initContainers": [{"restartPolicy": "Always", "ports": [{"name": "side", "containerPort": 81}]}],
        },
        "status": {"phase": "Running", "podIP": "10.0.1.2", "podIPs": [{"ip": "10.0.1.2"}, {"ip": "fd00:1::2"}]},
    },
]
JUNK: list[Any] = [
    None, True, False, 0, -1, 80, 65535, 65536, 10**30, 1.5, 80.0, "", "x", "X y", "80", "In", "Exists",
    "TCP", "Egress", "10.0.0.0/8", "0.0.0.0/0", "10.1.0.0/16", "::/0", "\ud800", "\0", "kube-x", "v1", "List", "Pod",
    [], [None], [[]], ["x"], ["0.0.0.0/0"], [80], {}, {"x": 1}, {"a": None}, {"": ""}, {"podSelector": {}},
    "None", "ClientIP", "FQDN", "10.0.1.2", "127.0.0.1", ["fd00:96::10"], {"addresses": ["10.0.1.2"]},
    {"matchLabels": {}}, {"cidr": "0.0.0.0/0"}, {"port": 80}, {"key": "x", "operator": "Exists"},
]  # fmt: skip

SCRAPS = [
    "", "{", "}", "[", "]", '"', "'", ":", ",", "\n", "\t", "&a ", "*a", "<<: ", "---\n", "\0", "\x85", "\ud83d",
    "!!x ", "- ", "null", "\\u00", "\\ud83d", "9" * 5000, "{" * 200,
]  # fmt: skip

Way = tuple[str | int, ...]


def ways(value: Any, way: Way = ()) -> Iterator[Way]:
    """The path of every place inside a value."""
    inner: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield (*way, key)
        yield from ways(item, (*way, key))


def at(value: Any, way: Way) -> Any:
    for step in way:
        value = value[step]
    return value


def mutate(value: Any, draw: st.DataObject) -> None:
    """Delete, replace, move or add something somewhere."""
    way = draw.draw(st.sampled_from(list(ways(value))))
    parent, key = at(value, way[:-1]), way[-1]
    action = draw.draw(st.sampled_from(["delete", "replace", "replace", "copy", "add", "rename"]))
    if action == "delete":
        del parent[key]
    elif action == "replace":
        parent[key] = copy.deepcopy(draw.draw(st.sampled_from(JUNK)))
    elif action == "copy":
        parent[key] = copy.deepcopy(at(value, draw.draw(st.sampled_from(list(ways(value))))))
    elif isinstance(parent, list):
        parent.insert(int(key), copy.deepcopy(draw.draw(st.sampled_from(JUNK))))
    elif action == "add":
        added = draw.draw(st.sampled_from(["x", "from", "to", "port", "kind", "items", "", "a b"]))
        parent[added] = copy.deepcopy(draw.draw(st.sampled_from(JUNK)))
    else:
        parent[str(key).lower() + "x"] = parent.pop(key)


def load_text(text: str) -> Cluster:
    return load(["-"], stdin=io.BytesIO(text.encode("utf-8", "surrogatepass")))


def refusals(text: str) -> list[str]:
    """The mistakes that loading a text reports; other exceptions pass through."""
    try:
        load_text(text)
    except InputError as error:
        return [str(diagnostic) for diagnostic in error.diagnostics] or ["refused without a reason"]
    return []


def as_text(objects: list[Any], notation: str) -> str:
    """The objects as JSON, as YAML, or as a List in either notation."""
    if notation.endswith("list"):
        objects = [{"apiVersion": "v1", "kind": "List", "items": objects}]
    if notation.startswith("json"):
        return "\n".join(json.dumps(item, indent=1) for item in objects)
    return yaml.safe_dump_all(objects)


NOTATIONS = st.sampled_from(["json", "json list", "yaml", "yaml list"])


@BOUNDED
@given(data=st.data(), notation=NOTATIONS, count=st.integers(1, 4))
def test_only_input_errors(data: st.DataObject, notation: str, count: int) -> None:
    objects = copy.deepcopy([*OTHERS, *OBJECTS_OF_SERVICES, POLICY])
    for _ in range(count):
        mutate(objects, data)
        assume(objects)
    for line in refusals(as_text(objects, notation)):
        assert line.startswith("-")
        assert "; " in line


@BOUNDED
@given(data=st.data(), notation=NOTATIONS)
def test_only_input_errors_for_broken_text(data: st.DataObject, notation: str) -> None:
    text = as_text([*OTHERS, *OBJECTS_OF_SERVICES, POLICY], notation)
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text) - 1))
        end = data.draw(st.integers(start, min(len(text), start + 30)))
        junk = data.draw(st.sampled_from(SCRAPS))
        text = text[:start] + junk + text[end:]
        assume(text)
    refusals(text)


@BOUNDED
@given(data=st.data(), notation=NOTATIONS, count=st.integers(1, 3))
def test_what_loads_says_all_that_is_written(data: st.DataObject, notation: str, count: int) -> None:
    """No rule, peer, port, requirement, exception or type is dropped or changed on the way to the model."""
    policy = copy.deepcopy(POLICY)
    for _ in range(count):
        mutate(policy["spec"], data)
        assume(policy["spec"])
    try:
        (loaded,) = load_text(as_text([policy], notation)).policies
    except InputError:
        return
    assert model_says(loaded) == spec_says(policy["spec"])


@BOUNDED
@given(data=st.data(), notation=NOTATIONS, count=st.integers(1, 3))
def test_services_that_load_say_all_that_is_written(data: st.DataObject, notation: str, count: int) -> None:
    """No cluster IP, port, requirement, endpoint or condition is dropped or changed on the way to the model."""
    service, endpoint_slice = copy.deepcopy(SERVICE), copy.deepcopy(SLICE)
    for _ in range(count):
        mutate(
            data.draw(st.sampled_from([service["spec"], endpoint_slice["endpoints"], endpoint_slice["ports"]])), data
        )
        assume(service["spec"] and endpoint_slice["endpoints"] and endpoint_slice["ports"])
    try:
        cluster = load_text(as_text([service, endpoint_slice], notation))
    except InputError:
        return
    assert [model_of_service(loaded) for loaded in cluster.services] == text_of_service(service["spec"])
    assert [model_of_slice(loaded) for loaded in cluster.slices] == [text_of_slice(endpoint_slice)]


@pytest.mark.parametrize("item", OBJECTS_OF_SERVICES, ids=lambda item: item["kind"])
@pytest.mark.parametrize("notation", ["json", "yaml list"])
def test_wrong_types_of_services_are_refused(item: dict[str, Any], notation: str) -> None:
    """In every field of these Services, as ovsnp reads all of them."""
    for way in ways(item):
        for value in [1.5, {"x": []}, [[]], 7, "x y"]:
            if type(value) is type(at(item, way)) or way in (("kind",), ("apiVersion",)):
                continue
            if way[-1] == "targetPort" and value == 7:
                continue
            broken = copy.deepcopy(item)
            at(broken, way[:-1])[way[-1]] = value
            assert refusals(as_text([*OTHERS, broken], notation)), (way, value)


def _places_of(kinds: tuple[type, ...]) -> list[Way]:
    return [way for way in ways(SPEC) if isinstance(at(SPEC, way), kinds)]


@pytest.mark.parametrize("way", _places_of((str, int, list, dict)), ids=str)
@pytest.mark.parametrize("notation", ["json", "yaml list"])
def test_wrong_types_are_refused(way: Way, notation: str) -> None:
    wrong: dict[type, list[Any]] = {
        str: [True, 1.5, ["x"], {"x": "y"}, 7],
        int: [True, 1.5, 80.0, [80], {"port": 80}],
        list: [True, 5, "x", {"x": "y"}, {}],
        dict: [True, 5, "x", ["x"], []],
    }
    for value in wrong[type(at(SPEC, way))]:
        if way[-1] == "port" and value == 7 and value is not True:
            continue
        refused(way, value, notation)


@pytest.mark.parametrize("way", [(), *_places_of((dict,))], ids=str)
def test_unknown_fields_are_refused(way: Way) -> None:
    if way[-1:] == ("matchLabels",):
        pytest.skip("any label may be written there")
    refused((*way, "unheardOf"), None, "json")
    refused((*way, "unheardOf"), {}, "yaml")


@pytest.mark.parametrize("way", _places_of((list,)), ids=str)
@pytest.mark.parametrize("notation", ["json", "yaml"])
def test_null_items_are_refused(way: Way, notation: str) -> None:
    items = at(SPEC, way)
    refused(way, [*items, None], notation)
    refused(way, [None], notation)


@pytest.mark.parametrize("way", [way for way in ways(SPEC) if isinstance(way[-1], str)], ids=str)
def test_doubled_fields_are_refused(way: Way) -> None:
    """In JSON text, where the first of two equal keys would otherwise be lost without an error."""
    marked = copy.deepcopy(POLICY)
    parent = at(marked["spec"], way[:-1])
    parent["DOUBLE"] = parent[way[-1]]
    text = json.dumps(marked).replace('"DOUBLE"', json.dumps(way[-1]))
    with pytest.raises(InputError, match="written twice"):
        load_text(text)


def refused(way: Way, value: Any, notation: str) -> None:
    policy = copy.deepcopy(POLICY)
    at(policy["spec"], way[:-1])[way[-1]] = value
    with pytest.raises(InputError):
        load_text(as_text([policy], notation))


# The content of a policy, in one form for the text and the model: nulls and empty lists are absent, the order of lists
# is kept where the API keeps it.


def spec_says(spec: dict[str, Any]) -> Any:
    return (
        _selector_text(spec.get("podSelector") or {}),
        set(spec.get("policyTypes") or ()),
        [_rule_text(rule, "from") for rule in spec.get("ingress") or ()],
        [_rule_text(rule, "to") for rule in spec.get("egress") or ()],
    )


def _selector_text(selector: dict[str, Any] | None) -> Any:
    if selector is None:
        return None
    labels = {(key, "In", (value,)) for key, value in (selector.get("matchLabels") or {}).items()}
    return labels | {
        (item["key"], item["operator"], tuple(sorted(set(item.get("values") or ()))))
        for item in selector.get("matchExpressions") or ()
    }


def _rule_text(rule: dict[str, Any], peers: str) -> Any:
    return (
        [_peer_text(peer) for peer in rule.get(peers) or ()],
        [(port.get("protocol") or "TCP", port.get("port"), port.get("endPort")) for port in rule.get("ports") or ()],
    )


def _peer_text(peer: dict[str, Any]) -> Any:
    if block := peer.get("ipBlock"):
        return (block["cidr"], set(block.get("except") or ()))
    return (_selector_text(peer.get("podSelector")), _selector_text(peer.get("namespaceSelector")))


def model_says(policy: NetworkPolicy) -> Any:
    return (
        _selector(policy.pod_selector),
        {direction.value for direction in policy.policy_types},
        [_rule(rule) for rule in policy.ingress],
        [_rule(rule) for rule in policy.egress],
    )


def _selector(selector: Selector | None) -> Any:
    if selector is None:
        return None
    return {(item.key, item.operator.value, item.values) for item in selector.requirements}


def _rule(rule: Rule) -> Any:
    ports = [(port.protocol.value, port.port, port.end_port) for port in rule.ports]
    return [_peer(peer) for peer in rule.peers], ports


def _peer(peer: Peer) -> Any:
    if isinstance(peer, IPBlock):
        return str(peer.cidr), {str(part) for part in peer.excepts}
    return _selector(peer.pod_selector), _selector(peer.namespace_selector)


KNOWN_PROTOCOLS = ("TCP", "UDP", "SCTP")
"""A port of another protocol is left out, with a note."""


def protocol_of(port: dict[str, Any]) -> Any:
    """The protocol of a port of a Service or slice; absent, it is TCP."""
    return "TCP" if port.get("protocol") is None else port["protocol"]


def text_of_service(spec: dict[str, Any]) -> list[Any]:
    """The content of a Service; empty where it has no cluster IP."""
    ips = spec.get("clusterIPs") or [spec.get("clusterIP")]
    if spec.get("type") == "ExternalName" or not ips[0] or ips == ["None"]:
        return []
    config = (spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
    timeout = config.get("timeoutSeconds")
    ports = [
        (port.get("name") or "", protocol_of(port), port["port"], port.get("targetPort") or port["port"])
        for port in spec.get("ports") or ()
        if protocol_of(port) in KNOWN_PROTOCOLS
    ]
    labels = spec.get("selector") or {}
    return [
        (
            ips,
            ports,
            {(key, "In", (value,)) for key, value in labels.items()} or None,
            (10_800 if timeout is None else timeout) if spec.get("sessionAffinity") == "ClientIP" else None,
            spec.get("internalTrafficPolicy") == "Local",
            spec.get("publishNotReadyAddresses") or False,
        )
    ]


def model_of_service(service: Service) -> Any:
    return (
        [format_address(address) for address in service.cluster_ips],
        [(port.name, port.protocol.value, port.number, port.target) for port in service.ports],
        _selector(service.selector),
        service.affinity,
        service.local,
        service.unready,
    )


def text_of_slice(item: dict[str, Any]) -> Any:
    ports = [
        (port.get("name") or "", protocol_of(port), port["port"])
        for port in item["ports"]
        if port.get("port") is not None and protocol_of(port) in KNOWN_PROTOCOLS
    ]
    return ports, [_endpoint_text(endpoint) for endpoint in item["endpoints"]]


def _endpoint_text(endpoint: dict[str, Any]) -> Any:
    conditions = endpoint.get("conditions") or {}
    ready = conditions.get("ready") in (None, True)
    serving = ready if conditions.get("serving") is None else conditions["serving"]
    ending = bool(conditions.get("terminating"))
    return endpoint["addresses"][0], endpoint.get("nodeName") or None, ready, serving and (ready or ending)


def model_of_slice(item: EndpointSlice) -> Any:
    endpoints = [
        (format_address(endpoint.address), endpoint.node, endpoint.ready, endpoint.serving)
        for endpoint in item.endpoints
    ]
    return [(port.name, port.protocol.value, port.number) for port in item.ports], endpoints
