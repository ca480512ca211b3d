"""Finds the cluster IPs and ports of two clusters at which clients may gain or lose something."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import msgspec

from ovsnp.errors import Place
from ovsnp.model.address import Address, family
from ovsnp.model.cluster import Cluster, Pod
from ovsnp.model.ports import ContainerPort, Protocol
from ovsnp.model.service import EndpointSlice, Service, ServicePort
from ovsnp.oracle import ServingBackend, Traffic, selects
from ovsnp.oracle.indexed_oracle import IndexedOracle

_ANYWHERE = Place("")

Port = tuple[Service, ServicePort]


class FrontendPair(msgspec.Struct, frozen=True, eq=False):
    """A cluster IP and port; ``ports`` are its Service and port in the old and the new cluster (None: not there)."""

    service: str
    number: int
    protocol: Protocol
    address: Address
    ports: tuple[Port | None, Port | None]

    @property
    def opened_to(self) -> tuple[Address, Traffic]:
        """The address and traffic that a connection to the frontend is opened to."""
        return self.address, Traffic(self.protocol, self.number)

    @property
    def local(self) -> bool:
        """Whether endpoints serve their own node only, in either cluster."""
        return any(port[0].local for port in self.ports if port)

    def backends(self, side: int, oracle: IndexedOracle, node: str | None) -> frozenset[ServingBackend]:
        """The endpoints for clients on a node, in the old cluster (``side`` 0) or the new one (1)."""
        port = self.ports[side]
        return oracle.backends(*port, family(self.address), node) if port else frozenset()


class _Selected(NamedTuple):
    """The parts of a pod that matter to a Service that selects it."""

    key: str
    node: str | None
    addresses: tuple[Address, ...]
    ports: tuple[ContainerPort, ...]


class Candidates:
    """The Services of two clusters; finds those that may differ."""

    def __init__(self, old: Cluster, new: Cluster) -> None:
        self._clusters = (old, new)
        self._services = [{service.key: service for service in cluster.services} for cluster in self._clusters]
        self._slices = [_slices(cluster) for cluster in self._clusters]
        self._pods = [_by_namespace((*cluster.pods, *cluster.host_pods)) for cluster in self._clusters]

    def frontends(self, version: int, counts: Callable[[Address], bool], *, every: bool) -> Iterator[FrontendPair]:
        """The frontends of a family: of Services that may differ or have an endpoint that counts, or ``every`` one."""
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
        """Whether the Service or its endpoints may differ; the order of the pods that it selects does not matter."""
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
            for pod in self._pods[side].get(service.namespace, ())
            if selects(selector, pod.labels)
        )

    def _served_by(self, key: str, version: int, counts: Callable[[Address], bool]) -> bool:
        """Whether one of the endpoints counts; only Services with the same endpoints in both clusters get here."""
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


def _by_namespace(pods: Iterable[Pod]) -> dict[str, list[Pod]]:
    found: dict[str, list[Pod]] = defaultdict(list)
    for pod in pods:
        found[pod.namespace].append(pod)
    return found


def _placeless(given: Service | EndpointSlice | None) -> object:
    """The object without its place in a file."""
    return given and msgspec.structs.replace(given, place=_ANYWHERE)
