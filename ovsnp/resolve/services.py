"""Services to cluster IPs, ports and endpoints, for the clients of one node."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from ovsnp.model.address import family
from ovsnp.model.cluster import Cluster
from ovsnp.model.frontend import Backend, Frontend
from ovsnp.model.service import EndpointSlice, Service, ServicePort, SliceEndpoint
from ovsnp.resolve.selection import Selection


def frontends(cluster: Cluster, node: str | None) -> tuple[Frontend, ...]:
    """Every cluster IP and port of the cluster's Services, sorted.

    Endpoints come from EndpointSlices, or without any of these from the pods that the selector selects, those of host
    networks included. Ready ones serve; where none is ready, those that still serve while they end.
    """
    slices: dict[tuple[str, str], list[EndpointSlice]] = defaultdict(list)
    for item in cluster.slices:
        slices[item.namespace, item.service].append(item)
    selection = Selection((*cluster.pods, *cluster.host_pods), cluster.namespaces)
    return tuple(
        Frontend(
            service.key, port.protocol, address, port.number, tuple(sorted(serving)), service.affinity, listed - serving
        )
        for service in cluster.services
        for address in service.cluster_ips
        for port in service.ports
        for serving, listed in [
            _of_slices(slices[service.namespace, service.name], service, port, family(address), node)
            if (service.namespace, service.name) in slices
            else _of_pods(selection, service, port, family(address), node)
        ]
    )


def _of_slices(
    slices: Iterable[EndpointSlice], service: Service, port: ServicePort, version: int, node: str | None
) -> tuple[frozenset[Backend], frozenset[Backend]]:
    """Who serves, and who is listed."""
    found: list[tuple[SliceEndpoint, int]] = [
        (endpoint, written.number)
        for item in slices
        for written in item.ports
        if (written.name, written.protocol) == (port.name, port.protocol)
        for endpoint in item.endpoints
        if family(endpoint.address) == version and (not service.local or node in (None, endpoint.node))
    ]
    ready = frozenset(Backend(endpoint.address, number) for endpoint, number in found if endpoint.ready)
    ending = frozenset(Backend(endpoint.address, number) for endpoint, number in found if endpoint.serving)
    return ready or ending, frozenset(Backend(endpoint.address, number) for endpoint, number in found)


def _of_pods(
    selection: Selection, service: Service, port: ServicePort, version: int, node: str | None
) -> tuple[frozenset[Backend], frozenset[Backend]]:
    found = frozenset(_selected(selection, service, port, version, node))
    return found, found


def _selected(
    selection: Selection, service: Service, port: ServicePort, version: int, node: str | None
) -> Iterator[Backend]:
    if service.selector is None:
        return
    for pod in selection.pods([service.namespace], service.selector):
        if service.local and not pod.is_on(node):
            continue
        if isinstance(port.target, int):
            numbers = [port.target]
        else:
            numbers = [
                named.number for named in pod.ports if (named.name, named.protocol) == (port.target, port.protocol)
            ]
        for address in pod.addresses:
            if family(address) == version:
                yield from (Backend(address, number) for number in numbers[:1])
