"""The objects of a generated cluster as the API server sends them: JSON without white space, with managedFields.

An object in a list has no kind and no apiVersion, and an event of a watch has both; so they are kept apart.
"""

import json
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from bench.api_objects import CREATED, STARTED, Object, identity
from bench.generate import namespace, node, pod, pod_values, policies, policy
from bench.generate_services import service_objects
from bench.layout import PLATFORM_APPS, Size, namespaces, placed_pods

MERGE_KEYS: Mapping[str, tuple[str, ...]] = {
    "addresses": ("type",),
    "conditions": ("type",),
    "containers": ("name",),
    "env": ("name",),
    "hostIPs": ("ip",),
    "ownerReferences": ("uid",),
    "podIPs": ("ip",),
    "ports": ("containerPort", "protocol"),
    "volumeMounts": ("mountPath",),
    "volumes": ("name",),
}
"""The keys that tell the entries of a list apart; a list that is not here, or without these keys, has one owner."""

OWNED_METADATA = ("annotations", "generateName", "labels", "ownerReferences")


class Kind(NamedTuple):
    """A kind, with its API version, the path of its list, and what an empty object has beside its metadata."""

    name: str
    version: str
    path: str
    empty: str


NAMESPACE = Kind("Namespace", "v1", "/api/v1/namespaces", '"spec":{},"status":{}')
NODE = Kind(
    "Node",
    "v1",
    "/api/v1/nodes",
    '"spec":{},"status":{"daemonEndpoints":{"kubeletEndpoint":{"Port":0}},"nodeInfo":{"machineID":"","systemUUID":"",'
    '"bootID":"","kernelVersion":"","osImage":"","containerRuntimeVersion":"","kubeletVersion":"",'
    '"kubeProxyVersion":"","operatingSystem":"","architecture":""}}',
)
POD = Kind("Pod", "v1", "/api/v1/pods", '"spec":{"containers":null},"status":{}')
SERVICE = Kind("Service", "v1", "/api/v1/services", '"spec":{},"status":{"loadBalancer":{}}')
ENDPOINT_SLICE = Kind(
    "EndpointSlice",
    "discovery.k8s.io/v1",
    "/apis/discovery.k8s.io/v1/endpointslices",
    '"addressType":"","endpoints":null,"ports":null',
)
NETWORK_POLICY = Kind(
    "NetworkPolicy",
    "networking.k8s.io/v1",
    "/apis/networking.k8s.io/v1/networkpolicies",
    '"spec":{"podSelector":{}}',
)
SERVICE_CIDR = Kind(
    "ServiceCIDR",
    "networking.k8s.io/v1",
    "/apis/networking.k8s.io/v1/servicecidrs",
    '"spec":{},"status":{}',
)
KINDS = (NAMESPACE, NODE, POD, SERVICE, ENDPOINT_SLICE, NETWORK_POLICY, SERVICE_CIDR)

Objects = dict[str, bytes]
"""JSON by ``NAMESPACE/NAME`` or name, in the order of a list."""


def served_objects(size: Size) -> dict[Kind, Objects]:
    """All objects of a generated cluster with Services."""
    found: dict[Kind, Objects] = {kind: {} for kind in KINDS}
    for item in _without_pods(size):
        kind = next(kind for kind in KINDS if kind.name == item["kind"])
        found[kind][key_of(item)] = body(item | {"metadata": item["metadata"] | _managed(item)})
    found[POD] = dict(_pods(size))
    return {kind: dict(sorted(objects.items())) for kind, objects in found.items()}


def described_kinds() -> Object:
    """The kinds outside of the core group, as the API server describes them to a client that asks for all of them."""
    groups: dict[str, dict[str, list[Object]]] = {}
    for kind in KINDS:
        group, _, version = kind.version.rpartition("/")
        if group:
            described = {
                "resource": kind.path.rpartition("/")[2],
                "responseKind": {"group": group, "version": version, "kind": kind.name},
                "verbs": ["get", "list", "watch"],
            }
            groups.setdefault(group, {}).setdefault(version, []).append(described)
    items = [
        {
            "metadata": {"name": group},
            "versions": [{"version": version, "resources": resources} for version, resources in versions.items()],
        }
        for group, versions in groups.items()
    ]
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}


def key_of(item: Object) -> str:
    """``NAMESPACE/NAME``, or the name of an object without a namespace."""
    metadata = item["metadata"]
    return f"{metadata['namespace']}/{metadata['name']}" if "namespace" in metadata else str(metadata["name"])


def body(item: Object) -> bytes:
    """The JSON of an object without kind and apiVersion."""
    return _compact({key: value for key, value in item.items() if key not in {"kind", "apiVersion"}}).encode()


def _without_pods(size: Size) -> Iterator[Object]:
    names = namespaces(size)
    yield from (namespace(name, minimal=False) for name in names)
    yield from (node(index, minimal=False) for index in range(size.nodes))
    for index, name in enumerate(names):
        yield from (policy(name, each, spec, minimal=False) for each, spec in policies(index).items())
    yield from service_objects(size, minimal=False)
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": CREATED, "reason": "", "message": "ready"}
    yield {
        "kind": "ServiceCIDR",
        "metadata": {"name": "kubernetes"} | identity("servicecidr", "kubernetes"),
        "spec": {"cidrs": ["10.96.0.0/12"]},
        "status": {"conditions": [ready]},
    }


def _pods(size: Size) -> Iterator[tuple[str, bytes]]:
    templates: dict[str, str] = {}
    for app in PLATFORM_APPS:
        item = pod(app, minimal=False)
        item["metadata"] |= {"generation": 1} | _managed(item)
        templates[app.name] = _compact({part: item[part] for part in ("metadata", "spec", "status")})
    for placed in placed_pods(size):
        yield placed.key, (templates[placed.app.name] % pod_values(placed)).encode()


def _managed(item: Object) -> Object:
    """managedFields: a controller has written the object, and the kubelet the status of a pod or node."""
    metadata = {key: item["metadata"][key] for key in OWNED_METADATA if key in item["metadata"]}
    rest = {key: value for key, value in item.items() if key not in {"kind", "apiVersion", "metadata", "status"}}
    entries = [_entry("kube-controller-manager", CREATED, {"metadata": metadata} | rest)]
    if item["kind"] in {"Pod", "Node"}:
        entries.append(_entry("kubelet", STARTED, {"status": item["status"]}) | {"subresource": "status"})
    return {"managedFields": entries}


def _entry(manager: str, time: str, fields: Object) -> Object:
    return {
        "manager": manager,
        "operation": "Update",
        "apiVersion": "v1",
        "time": time,
        "fieldsType": "FieldsV1",
        "fieldsV1": _fields(fields),
    }


def _fields(item: Object) -> Object:
    """The set of the fields of an object, in the form FieldsV1."""
    return {f"f:{key}": _owned(key, value) for key, value in item.items()}


def _owned(name: str, value: object) -> Object:
    if isinstance(value, dict):
        return {".": {}} | _fields(value) if value else {}
    keys = MERGE_KEYS.get(name, ())
    if isinstance(value, list) and keys and all(isinstance(each, dict) and {*keys} <= each.keys() for each in value):
        entries = {f"k:{_compact({key: each[key] for key in keys})}": {".": {}} | _fields(each) for each in value}
        return {".": {}} | entries
    return {}


def _compact(item: object) -> str:
    return json.dumps(item, separators=(",", ":"))
