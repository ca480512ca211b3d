"""Puts the objects of manifests into an API server, with their status, and takes them away again."""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import yaml

from tests.cluster.client import ApiError, Client, Object
from tests.cluster.daemon import PATIENCE

NAMESPACES = "/api/v1/namespaces"
OWN_NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
"""The namespaces of a new cluster."""

OWN_NAMES = (
    "extension-apiserver-authentication",
    "kube-apiserver-legacy-service-account-token-tracking",
    "kubernetes",
)
"""The names of objects that the API server makes, and makes again."""

BOOTSTRAPPING = "kubernetes.io/bootstrapping"
"""The label of the roles and bindings that the API server makes."""

OWN_SERVICE: Object = {
    "metadata": {
        "name": "kubernetes",
        "namespace": "default",
        "labels": {"component": "apiserver", "provider": "kubernetes"},
    },
    "spec": {"clusterIP": "10.96.0.1", "ports": [{"name": "https", "port": 443, "targetPort": 6443}]},
}
"""The Service of a new cluster."""

SERVER_FIELDS = (
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
)
"""Metadata that only the API server writes."""

CLEARED = (
    "/api/v1/pods",
    "/api/v1/services",
    "/api/v1/endpoints",
    "/api/v1/configmaps",
    "/api/v1/secrets",
    "/api/v1/serviceaccounts",
    "/api/v1/events",
    "/apis/discovery.k8s.io/v1/endpointslices",
    "/apis/networking.k8s.io/v1/networkpolicies",
    "/apis/rbac.authorization.k8s.io/v1/rolebindings",
    "/apis/rbac.authorization.k8s.io/v1/roles",
)
CLEARED_OF_CLUSTER = (
    "/api/v1/nodes",
    "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
    "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings",
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    "/apis/networking.k8s.io/v1/servicecidrs",
    "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    "/apis/rbac.authorization.k8s.io/v1/clusterroles",
)
"""The kinds that `clear` deletes, with and without a namespace."""

AT_ONCE = {"gracePeriodSeconds": 0}

READERS: Mapping[str, Callable[[str], Iterable[Any]]] = {
    ".json": lambda text: [json.loads(text)],
    ".yaml": yaml.safe_load_all,
}
"""The documents of a file, by the ending of its name."""


class Resource(NamedTuple):
    """The name of a kind in paths, and what the kind has."""

    name: str
    namespaced: bool
    has_status: bool


def read(paths: Iterable[Path]) -> Iterator[Object]:
    """All objects of files and directories; the items of a List for a List."""
    for path in paths:
        inside = sorted(each for each in path.iterdir() if each.suffix in READERS) if path.is_dir() else [path]
        for file in inside:
            for document in READERS[file.suffix](file.read_text(encoding="utf-8")):
                if document is not None:
                    yield from document["items"] if document["kind"].endswith("List") else [document]


def create(client: Client, objects: Iterable[Mapping[str, Any]]) -> None:
    """Create objects, or replace those that are there; raises ApiError.

    What the API server demands and a manifest lacks is added: the namespace, an image, the first cluster IP. The API
    server's own Service `kubernetes` goes away if an object has its cluster IP. A Pod with a deletionTimestamp is
    deleted, and stays, since no kubelet ends it. The ServiceCIDR `kubernetes` is the API server's own, and stays.
    """
    resources: dict[str, dict[str, Resource]] = {}
    known = {each["metadata"]["name"] for each in client.get(NAMESPACES)["items"]}
    for given in sorted(objects, key=lambda each: each["kind"] != "Namespace"):
        version, kind = given["apiVersion"], given["kind"]
        if (kind, given["metadata"]["name"]) == ("ServiceCIDR", "kubernetes"):
            continue
        if version not in resources:
            resources[version] = _resources(client, version)
        resource = resources[version][kind]
        space = given["metadata"].get("namespace", "default") if resource.namespaced else None
        if kind == "Namespace":
            known.add(given["metadata"]["name"])
        if space is not None and space not in known:
            client.post(NAMESPACES, {"metadata": {"name": space}})
            known.add(space)
        if kind == "Service":
            _free_address(client, given)
        _create_one(client, f"{_group(version)}{_of(space)}/{resource.name}", resource, given)


def clear(client: Client) -> None:
    """Delete all objects but those of a new cluster; returns when no client sees a deleted object in a list."""
    others = ",".join(f"metadata.name!={name}" for name in OWN_NAMES)
    selection = urlencode({"fieldSelector": others, "labelSelector": f"!{BOOTSTRAPPING}"})
    for path in CLEARED:
        group, _, name = path.rpartition("/")
        for space in sorted({each["metadata"]["namespace"] for each in client.get(path)["items"]}):
            client.delete(f"{group}{_of(space)}/{name}?{selection}", AT_ONCE)
    for path in CLEARED_OF_CLUSTER:
        client.delete(f"{path}?{selection}")
    for space in client.get(NAMESPACES)["items"]:
        _clear_namespace(client, space["metadata"]["name"])
    _restore_service(client)
    deadline = time.monotonic() + PATIENCE
    for path in (NAMESPACES, *CLEARED, *CLEARED_OF_CLUSTER):
        while left := _left(client, path):
            assert time.monotonic() < deadline, f"{path} still has {left}"
            time.sleep(0.02)


def _create_one(client: Client, collection: str, resource: Resource, given: Mapping[str, Any]) -> None:
    one = f"{collection}/{given['metadata']['name']}"
    whole = _completed(given)
    try:
        client.post(collection, whole)
    except ApiError as error:
        if error.code != HTTPStatus.CONFLICT:
            raise
        client.put(one, whole)
    if resource.has_status and "status" in given:
        client.patch(f"{one}/status", {"status": given["status"]})
    if given["kind"] == "Pod" and "deletionTimestamp" in given["metadata"]:
        client.delete(one)


def _completed(given: Mapping[str, Any]) -> Object:
    """The object as a client may send it."""
    metadata = {key: value for key, value in given["metadata"].items() if key not in SERVER_FIELDS}
    whole = {**given, "metadata": metadata}
    if given["kind"] == "Pod":
        spec = dict(given["spec"])
        for part in {"containers", "initContainers"} & spec.keys():
            spec[part] = [{"image": "example.com/none", **container} for container in spec[part]]
        whole["spec"] = spec
    if given["kind"] == "Service" and (addresses := given["spec"].get("clusterIPs")):
        families = ["IPv6" if ":" in address else "IPv4" for address in addresses if address != "None"]
        policy = "RequireDualStack" if len(families) > 1 else "SingleStack"
        added = {"clusterIP": addresses[0], "ipFamilyPolicy": policy} | ({"ipFamilies": families} if families else {})
        whole["spec"] = {**added, **given["spec"]}
    return whole


def _resources(client: Client, version: str) -> dict[str, Resource]:
    """The resources of an API version, by kind."""
    listed = client.get(_group(version))["resources"]
    with_status = {each["name"].partition("/")[0] for each in listed if each["name"].endswith("/status")}
    return {
        each["kind"]: Resource(each["name"], each["namespaced"], each["name"] in with_status)
        for each in listed
        if "/" not in each["name"]
    }


def _group(version: str) -> str:
    return f"/apis/{version}" if "/" in version else f"/api/{version}"


def _of(space: str | None) -> str:
    return "" if space is None else f"/namespaces/{space}"


def _addresses(service: Mapping[str, Any]) -> Sequence[str]:
    spec = service["spec"]
    return spec.get("clusterIPs") or [spec.get("clusterIP")]


def _free_address(client: Client, service: Mapping[str, Any]) -> None:
    """Delete the API server's own Service if this one has its cluster IP."""
    if service["metadata"]["name"] != "kubernetes" and OWN_SERVICE["spec"]["clusterIP"] in _addresses(service):
        with _accepting(HTTPStatus.NOT_FOUND):
            client.delete("/api/v1/namespaces/default/services/kubernetes")


def _clear_namespace(client: Client, name: str) -> None:
    path = f"{NAMESPACES}/{name}"
    if name in OWN_NAMESPACES:
        client.put(path, {"metadata": {"name": name}})
        return
    client.delete(path)
    # This is the work of a controller that is not there.
    client.put(f"{path}/finalize", {"metadata": {"name": name}, "spec": {"finalizers": []}})


def _restore_service(client: Client) -> None:
    # It is there in most cases; the second answer says that its cluster IP is taken.
    with _accepting(HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY):
        client.post("/api/v1/namespaces/default/services", OWN_SERVICE)


@contextmanager
def _accepting(*codes: HTTPStatus) -> Iterator[None]:
    """Go on after a refusal with one of these codes."""
    try:
        yield
    except ApiError as error:
        if error.code not in codes:
            raise


def _left(client: Client, path: str) -> set[str]:
    """The objects that `clear` deletes and a list from the API server's memory still has."""
    items = client.get(f"{path}?resourceVersion=0")["items"]
    names = {each["metadata"]["name"] for each in items if BOOTSTRAPPING not in _labels(each)}
    return names - {*OWN_NAMES, *OWN_NAMESPACES}


def _labels(item: Mapping[str, Any]) -> Mapping[str, str]:
    labels: Mapping[str, str] = item["metadata"].get("labels", {})
    return labels
