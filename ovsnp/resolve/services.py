"""Turns Services into cluster IPs, ports and endpoints, for the clients on one node."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from itertools import chain

from ovsnp.ir.frontend import Backend, Frontend
from ovsnp.ir.node_changes import ServiceName
from ovsnp.model.address import Prefix, family, host_prefix, merge
from ovsnp.model.cluster import Pod
from ovsnp.model.options import Options
from ovsnp.model.service import EndpointSlice, Service, ServicePort, SliceEndpoint
from ovsnp.resolve.pods import PodIndex
from ovsnp.resolve.selection import matches


class Services:
    """Every cluster IP and port of the cluster's Services, with their endpoints.

    The endpoints come from EndpointSlices; without slices, from the pods that the selector selects, pods in the host
    network included. Ready endpoints serve. If none is ready, the endpoints serve that still serve while they
    terminate.
    """

    def __init__(self, options: Options, pods: PodIndex, host_pods: PodIndex) -> None:
        self._node = options.node
        self._given_cidrs = options.service_cidrs
        self._indexes = pods, host_pods
        self._services: dict[ServiceName, Service] = {}
        self._slices: dict[ServiceName, dict[str, EndpointSlice]] = defaultdict(dict)
        self._service_of: dict[tuple[str, str], ServiceName] = {}
        self._cidrs: set[Prefix] = set()
        self._merged: tuple[Prefix, ...] | None = None
        self._by_selector: dict[str, dict[ServiceName, Service]] = defaultdict(dict)
        self._touched: set[ServiceName] = set()

    @property
    def services(self) -> tuple[Service, ...]:
        """All Services."""
        return tuple(self._services.values())

    @property
    def slices(self) -> tuple[EndpointSlice, ...]:
        """All EndpointSlices."""
        return tuple(chain.from_iterable(slices.values() for slices in self._slices.values()))

    @property
    def cidrs(self) -> tuple[Prefix, ...]:
        """The blocks of ServiceCIDR objects."""
        return tuple(self._cidrs)

    def follow_pods(self, several: Iterable[Iterable[Pod]]) -> None:
        """Mark the Services whose selector selects some of these pods, which were removed or added."""
        if not self._by_selector:
            return
        for pod in chain.from_iterable(several):
            for name, service in self._by_selector.get(pod.namespace, {}).items():
                if service.selector is not None and matches(service.selector, pod.labels):
                    self._touched.add(name)

    def update_slices(self, went: Iterable[EndpointSlice], came: Iterable[EndpointSlice]) -> None:
        """Remove slices, then add slices; a slice may belong to another Service than before."""
        for item in (*went, *came):
            name = self._service_of.pop((item.namespace, item.name), None)
            if name:
                del self._slices[name][item.name]
                self._touched.add(name)
        for item in came:
            name = item.namespace, item.service
            self._service_of[item.namespace, item.name] = name
            self._slices[name][item.name] = item
            self._touched.add(name)

    def update_services(self, went: Iterable[Service], came: Iterable[Service]) -> None:
        """Remove Services, then add Services."""
        for service in went:
            name = service.namespace, service.name
            self._note_addresses(self._services.pop(name, None), None)
            self._touched.add(name)
        for service in came:
            name = service.namespace, service.name
            self._note_addresses(self._services.get(name), service)
            self._services[name] = service
            self._touched.add(name)

    def _note_addresses(self, before: Service | None, after: Service | None) -> None:
        """Merge the Service CIDRs again, unless all changed addresses lie in blocks of the user or of ServiceCIDRs."""
        old, new = (frozenset(each.cluster_ips) if each else frozenset() for each in (before, after))
        given = (*self._given_cidrs, *self._cidrs)
        if not all(any(cidr.contains(host_prefix(address)) for cidr in given) for address in old ^ new):
            self._merged = None

    def update_cidrs(self, went: Iterable[Prefix], came: Collection[Prefix]) -> None:
        """Remove blocks of ServiceCIDR objects, then add blocks."""
        after = (self._cidrs - {*went}) | {*came}
        if after != self._cidrs:
            self._cidrs, self._merged = after, None

    @property
    def service_cidrs(self) -> tuple[Prefix, ...]:
        """The blocks of cluster IPs: those of the user and of ServiceCIDR objects, and the cluster IPs themselves."""
        if self._merged is None:
            there = (host_prefix(ip) for service in self._services.values() for ip in service.cluster_ips)
            self._merged = merge((*self._given_cidrs, *self._cidrs, *there))
        return self._merged

    def take_changes(self) -> dict[ServiceName, tuple[Frontend, ...]]:
        """The frontends of the Services that changed since the last call; none: the Service is gone, or has no port."""
        touched, self._touched = self._touched, set()
        return {name: self._frontends_of(name) for name in touched}

    def _frontends_of(self, name: ServiceName) -> tuple[Frontend, ...]:
        service, slices = self._services.get(name), self._slices.get(name)
        selecting = self._by_selector[name[0]]
        if service and service.selector is not None and not slices:
            selecting[name] = service
        else:
            selecting.pop(name, None)
        return tuple(self._frontends(service, slices)) if service else ()

    def _frontends(self, service: Service, slices: dict[str, EndpointSlice] | None) -> Iterator[Frontend]:
        for address in service.cluster_ips:
            for port in service.ports:
                version = family(address)
                if slices:
                    serving, listed = _of_slices(slices.values(), service, port, version, self._node)
                else:
                    serving = listed = frozenset(self._of_pods(service, port, version))
                backends, leaving = tuple(sorted(serving)), listed - serving
                yield Frontend(service.key, port.protocol, address, port.number, backends, service.affinity, leaving)

    def _of_pods(self, service: Service, port: ServicePort, version: int) -> Iterator[Backend]:
        if service.selector is None:
            return
        for index in self._indexes:
            for pod in index.select(service.namespace, service.selector):
                if service.local and not pod.is_on(self._node):
                    continue
                if isinstance(port.target, int):
                    numbers = [port.target]
                else:
                    numbers = [
                        named.number
                        for named in pod.ports
                        if (named.name, named.protocol) == (port.target, port.protocol)
                    ]
                for address in pod.addresses:
                    if family(address) == version:
                        yield from (Backend(address, number) for number in numbers[:1])


def _of_slices(
    slices: Iterable[EndpointSlice], service: Service, port: ServicePort, version: int, node: str | None
) -> tuple[frozenset[Backend], frozenset[Backend]]:
    """The endpoints that serve, and all endpoints that are listed."""
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
