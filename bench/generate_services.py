"""Services and EndpointSlices of a generated cluster: ten Services in each namespace, and two with two ports each for
the platform.

Each app has a Service with its name; `web` and `api` have a second one for clients inside the cluster. The endpoints
are the pods of the app in the namespace.
"""

import ipaddress
from collections import defaultdict
from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from bench.api_objects import Object, identity, text
from bench.layout import APPS, METRICS, PLATFORM_APPS, App, PlacedPod, Size, namespaces, placed_pods

FIRST_CLUSTER_IP = ipaddress.IPv4Address("10.96.0.10")
INSIDE = ("web", "api")
"""The apps with a second Service."""


class Named(NamedTuple):
    """A Service by its namespace and name, with its app and cluster IP."""

    namespace: str
    name: str
    app: App
    cluster_ip: str

    @property
    def key(self) -> str:
        return f"{self.namespace}/{self.name}"

    @property
    def ports(self) -> tuple[tuple[str, int, str], ...]:
        """Two ports: the first two of the app, or its only port and that of an exporter."""
        return (*self.app.ports, METRICS)[:2]


def named_services(size: Size) -> list[Named]:
    """All Services, by namespace and name as kubectl sorts them."""
    found: list[Named] = []
    for index, space in enumerate(namespaces(size)):
        apps = PLATFORM_APPS if index == 0 else APPS
        names = {app.name: app for app in apps} | {f"{app.name}-internal": app for app in apps if app.name in INSIDE}
        for name, app in sorted(names.items()):
            found.append(Named(space, name, app, str(FIRST_CLUSTER_IP + len(found))))
    return found


def services(size: Size, *, minimal: bool) -> Iterator[str]:
    """The Services, then the EndpointSlices, as JSON texts."""
    return map(text, service_objects(size, minimal=minimal))


def service_objects(size: Size, *, minimal: bool) -> Iterator[Object]:
    """The same as objects."""
    named = named_services(size)
    for each in named:
        yield service(each, minimal=minimal)
    of_space = {space: list(group) for space, group in groupby(named, key=lambda each: each.namespace)}
    for space, placed in groupby(placed_pods(size), key=lambda pod: pod.namespace):
        pods: dict[App, list[PlacedPod]] = defaultdict(list)
        for pod in placed:
            pods[pod.app].append(pod)
        for each in of_space[space]:
            yield endpoint_slice(each, pods[each.app], minimal=minimal)


def service(named: Named, *, minimal: bool) -> Object:
    """A Service of type ClusterIP."""
    ports = [
        {"name": name, "port": number, "protocol": protocol, "targetPort": number}
        for name, number, protocol in named.ports
    ]
    metadata: Object = {"name": named.name, "namespace": named.namespace}
    spec: Object = {"clusterIP": named.cluster_ip, "clusterIPs": [named.cluster_ip], "ports": ports}
    if not minimal:
        metadata |= {"labels": {"app": named.app.name}} | identity("service", named.key)
        spec |= {
            "internalTrafficPolicy": "Cluster",
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
            "selector": {"app": named.app.name},
            "sessionAffinity": "None",
            "type": "ClusterIP",
        }
    item: Object = {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}
    return item if minimal else item | {"status": {"loadBalancer": {}}}


def endpoint_slice(named: Named, pods: list[PlacedPod], *, minimal: bool) -> Object:
    """The slice that the endpoint slice controller makes from a Service's pods."""
    labels = {"kubernetes.io/service-name": named.name}
    uid = identity("endpointslice", named.key)["uid"]
    metadata: Object = {"labels": labels, "name": f"{named.name}-{uid[:5]}", "namespace": named.namespace}
    if not minimal:
        metadata |= slice_metadata(named, labels) | identity("endpointslice", named.key)
    return {
        "addressType": "IPv4",
        "apiVersion": "discovery.k8s.io/v1",
        "endpoints": [endpoint(pod, minimal=minimal) for pod in pods],
        "kind": "EndpointSlice",
        "metadata": metadata,
        "ports": [{"name": name, "port": number, "protocol": protocol} for name, number, protocol in named.ports],
    }


def slice_metadata(named: Named, labels: dict[str, str]) -> Object:
    owner = {"apiVersion": "v1", "blockOwnerDeletion": True, "controller": True, "kind": "Service"}
    manager = {"endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io"}
    return {
        "annotations": {"endpoints.kubernetes.io/last-change-trigger-time": "2025-03-03T08:15:10Z"},
        "generateName": f"{named.name}-",
        "generation": 3,
        "labels": labels | manager | {"app": named.app.name},
        "ownerReferences": [owner | {"name": named.name, "uid": identity("service", named.key)["uid"]}],
    }


def endpoint(pod: PlacedPod, *, minimal: bool) -> Object:
    if minimal:
        return {"addresses": [pod.address], "conditions": {"ready": True}, "nodeName": f"node-{pod.node}"}
    target = {"kind": "Pod", "name": pod.name, "namespace": pod.namespace, "uid": identity("pod", pod.key)["uid"]}
    return {
        "addresses": [pod.address],
        "conditions": {"ready": True, "serving": True, "terminating": False},
        "nodeName": f"node-{pod.node}",
        "targetRef": target,
        "zone": f"zone-{pod.node % 3}",
    }
