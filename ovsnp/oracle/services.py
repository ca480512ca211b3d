"""The backends of a cluster IP.

Quotations are from the documentation of v1.Service, of discovery.k8s.io/v1 and from the concepts pages "Service",
"EndpointSlices" and "Service Internal Traffic Policy".
"""

from collections.abc import Iterator

import msgspec

from ovsnp.model.address import Address, family
from ovsnp.model.cluster import Cluster, Pod
from ovsnp.model.service import EndpointSlice, Service, ServicePort, SliceEndpoint
from ovsnp.oracle.selectors import selects
from ovsnp.oracle.traffic import Traffic


class ServingBackend(msgspec.Struct, frozen=True, order=True):
    """A backend: the address and port that a connection gets."""

    address: Address
    port: int


def service_at(cluster: Cluster, address: Address, traffic: Traffic) -> tuple[Service, ServicePort] | None:
    """The Service and the Service port with a cluster IP and port number; None if there is no such Service."""
    for service in cluster.services:
        for port in service.ports:
            if address in service.cluster_ips and (port.protocol, port.number) == (traffic.protocol, traffic.port):
                return service, port
    return None


def backends(
    cluster: Cluster, service: Service, port: ServicePort, version: int, node: str | None
) -> frozenset[ServingBackend]:
    """The backends, in one address family, that may get a connection to this port that begins on a node.

    ``node`` is None where the node is unknown, as in a cluster without Node objects: all endpoints then count as local.
    """
    slices = [each for each in cluster.slices if (each.namespace, each.service) == (service.namespace, service.name)]
    if slices:
        return _in_slices(slices, service, port, version, node)
    # "The set of Pods targeted by a Service is usually determined by a selector that you define." Pods in the host
    # network are such pods, too: they serve at the address of their node.
    return frozenset(
        ServingBackend(address, number)
        for pod in (*cluster.pods, *cluster.host_pods)
        if service.selector is not None
        if pod.namespace == service.namespace and selects(service.selector, pod.labels)
        if not service.local or pod.is_on(node)
        for number in _target(port, pod)
        for address in pod.addresses
        if family(address) == version
    )


def _target(port: ServicePort, pod: Pod) -> Iterator[int]:
    """The port number at which a pod serves; nothing where the pod has no port of the name.

    "If this is a string, it will be looked up as a named port in the target Pod's container ports."
    """
    if isinstance(port.target, int):
        yield port.target
        return
    for named in pod.ports:
        if (named.name, named.protocol) == (port.target, port.protocol):
            yield named.number
            return


def _in_slices(
    slices: list[EndpointSlice], service: Service, port: ServicePort, version: int, node: str | None
) -> frozenset[ServingBackend]:
    ready, ending = set(), set()
    for endpoint, number in _endpoints(slices, port):
        if family(endpoint.address) == version and _near(service, endpoint.node, node):
            if endpoint.ready:
                ready.add(ServingBackend(endpoint.address, number))
            elif endpoint.serving:
                ending.add(ServingBackend(endpoint.address, number))
    # "[...] normally, a service proxy will ignore endpoints that are terminating, but it may route traffic to
    # endpoints that are both serving and terminating if all available endpoints are terminating."
    return frozenset(ready or ending)


def _endpoints(slices: list[EndpointSlice], port: ServicePort) -> Iterator[tuple[SliceEndpoint, int]]:
    for each in slices:
        for there in each.ports:
            # "[...] this must match the corresponding port in the Service" is about the name; ports with different
            # protocols do not correspond either.
            if there.name == port.name and there.protocol is port.protocol:
                yield from ((endpoint, there.number) for endpoint in each.endpoints)


def _near(service: Service, endpoint_node: str | None, node: str | None) -> bool:
    """True if an endpoint serves clients on this node.

    "When set to Local, the proxy will assume that pods only want to talk to endpoints of the service on the same
    node as the pod, dropping the traffic if there are no local endpoints."
    """
    return not service.local or node is None or endpoint_node == node
