"""The cluster IPs and ports of two clusters of which something may be to tell."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec

from ovsnp.errors import Place
from ovsnp.model.address import Address, family
from ovsnp.model.cluster import Cluster
from ovsnp.model.ports import ContainerPort, Protocol
from ovsnp.model.service import EndpointSlice, Service, ServicePort
from ovsnp.oracle import ServingBackend, Traffic, selects
from ovsnp.oracle.indexed_oracle import IndexedOracle

_ANYWHERE = Place("")

Port = tuple[Service, ServicePort]


class FrontendPair(msgspec.Struct, frozen=True, eq=False):
    """A cluster IP with a port of a Service, as the old and the new cluster have it; None: it has not."""

    service: str
    number: int
    protocol: Protocol
    address: Address
    ports: tuple[Port | None, Port | None]

    @property
    def opened_to(self) -> tuple[Address, Traffic]:
        """What a connection to it is opened to."""
        return self.address, Traffic(self.protocol, self.number)

    @property
    def local(self) -> bool:
        """Whether endpoints serve their own node only, in either cluster."""
        return any(port[0].local for port in self.ports if port)

    def backends(self, side: int, prepared: IndexedOracle, node: str | None) -> frozenset[ServingBackend]:
        """Who serves there for clients of a node, in one of the clusters (0 or 1)."""
        port = self.ports[side]
        return prepared.backends(*port, family(self.address), node) if port else frozenset()


class _Selected(NamedTuple):
    """What of a pod counts for a Service that selects it."""

    key: str
    node: str | None
    addresses: tuple[Address, ...]
    ports: tuple[ContainerPort, ...]


class Candidates:
    """The Services of two clusters, and which of them are not the same."""

    def __init__(self, old: Cluster, new: Cluster) -> None:
        self._clusters = (old, new)
        self._services = [{service.key: service for service in cluster.services} for cluster in self._clusters]
        self._slices = [_slices(cluster) for cluster in self._clusters]

    def frontends(self, version: int, counts: Callable[[Address], bool], *, every: bool) -> Iterator[FrontendPair]:
        """Those of Services that are not the same, or have an endpoint that counts, or all; in one address family."""
        for key in sorted(self._services[0].keys() | self._services[1].keys()):
            if every or self._differs(key) or self._served_by(key, version, counts):
                yield from self._of(key, version)

    def _of(self, key: str, version: int) -> Iterator[FrontendPair]:
        found: dict[tuple[int, Protocol, Address], list[Port | None]] = defaultdict(lambda: [None, None])
        for side, services in enumerate(self._services):
            if service := services.get(key):
                for address in (each for each in service.cluster_ips if family(each) == version):
                    for port in service.ports:
                        found[port.number, port.protocol, address][side] = service, port
        for (number, protocol, address), (old, new) in sorted(found.items(), key=lambda each: each[0]):
            yield FrontendPair(key, number, protocol, address, (old, new))

    def _differs(self, key: str) -> bool:
        """Whether the Service or its endpoints may be others; pods that it selects may be in other numbers."""
        if _placeless(self._services[0].get(key)) != _placeless(self._services[1].get(key)):
            return True
        old, new = (slices.get(key, []) for slices in self._slices)
        if old or new:
            return [_placeless(each) for each in old] != [_placeless(each) for each in new]
        return self._selected(0, key) != self._selected(1, key)

    def _selected(self, side: int, key: str) -> frozenset[_Selected]:
        service = self._services[side][key]
        selector = service.selector
        if selector is None:
            return frozenset()
        return frozenset(
            _Selected(pod.key, pod.node, pod.addresses, pod.ports)
            for pod in (*self._clusters[side].pods, *self._clusters[side].host_pods)
            if pod.namespace == service.namespace and selects(selector, pod.labels)
        )

    def _served_by(self, key: str, version: int, counts: Callable[[Address], bool]) -> bool:
        """Whether one of the endpoints counts; they are those of both clusters, where this is asked."""
        slices = self._slices[1].get(key, [])
        found = {endpoint.address for each in slices for endpoint in each.endpoints}
        if not slices:
            found = {address for pod in self._selected(1, key) for address in pod.addresses}
        return any(counts(address) for address in found if family(address) == version)


def _slices(cluster: Cluster) -> dict[str, list[EndpointSlice]]:
    found: dict[str, list[EndpointSlice]] = defaultdict(list)
    for each in cluster.slices:
        found[f"{each.namespace}/{each.service}"].append(each)
    return found


def _placeless(given: Service | EndpointSlice | None) -> object:
    """The same wherever it is written."""
    return given and msgspec.structs.replace(given, place=_ANYWHERE)
