"""EndpointSlices: from the wire to the model, with the checks of the API server.

The checks are those of ValidateEndpointSlice (kubernetes/kubernetes, pkg/apis/discovery/validation);
staging/src/k8s.io/api/discovery/v1/types.go documents the fields.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from msgspec import structs

from ovsnp.errors import Place
from ovsnp.manifests.kinds import wire
from ovsnp.manifests.kinds.blocks import read_address
from ovsnp.manifests.kinds.pod_addresses import Addressing, pod_of
from ovsnp.manifests.kinds.protocols import known_protocol
from ovsnp.manifests.kinds.syntax import label_name_fault, label_value_fault, port_number_fault
from ovsnp.model.address import Address, family, format_address
from ovsnp.model.cluster import Node
from ovsnp.model.service import EndpointSlice, SliceEndpoint, SlicePort
from ovsnp.yaml_reader.paths import Path
from ovsnp.yaml_reader.report import MistakeReport
from ovsnp.yaml_reader.structure import quote

SERVICE_NAME = "kubernetes.io/service-name"
_FAMILIES = {"IPv4": 4, "IPv6": 6}
_TYPES = (*_FAMILIES, "FQDN")

_NULL_ENDPOINT = "null is no endpoint; write addresses, or remove it"
_NULL_PORT = "null is no port; write name and port, or remove it"
_NO_ADDRESS = "missing; write the address that the endpoint is reached at"

_SPECIAL_FIRST_BYTES = {4: frozenset({0, 127, 169, *range(224, 240)}), 6: frozenset({0, 0xFE, 0xFF})}
_NULL_CONDITIONS = wire.ApiEndpointConditions()


class WrittenSlice(NamedTuple):
    """A slice with all its endpoints, and for each endpoint the pod (NAMESPACE/NAME) that it refers to, or None."""

    content: EndpointSlice
    pods: tuple[str | None, ...]

    def settled(self, addressing: Addressing) -> EndpointSlice:
        """The slice without the endpoints whose pods do not have their addresses."""
        if not any(map(addressing.loses, self.pods)):
            return self.content
        of_pods = zip(self.content.endpoints, self.pods, strict=True)
        kept = tuple(endpoint for endpoint, pod in of_pods if not addressing.disowns(endpoint.address, pod))
        return structs.replace(self.content, endpoints=kept)


class SliceReader:
    """Reads EndpointSlices one by one; shares the names of ``nodes``, as thousands of endpoints have the same."""

    def __init__(self, nodes: Mapping[str, Node], report: MistakeReport) -> None:
        self._nodes = nodes
        self._report = report

    def read(self, written: wire.ApiEndpointSlice, namespace: str, name: str, place: Place) -> WrittenSlice | None:
        """A slice, as far as it can be read; reports its mistakes.

        None if it does not count: it belongs to no Service, or its addresses are names or of an unknown type.
        """
        wanted = self._family(written.address_type)
        service = self._service(written.metadata)
        if wanted is None or not service:
            return None
        endpoints = [*self._endpoints(written.endpoints or (), namespace, wanted)]
        content = EndpointSlice(
            namespace=namespace,
            name=name,
            service=service,
            ports=tuple(self._ports(written.ports or ())),
            endpoints=tuple(endpoint for endpoint, _ in endpoints),
            place=place,
        )
        return WrittenSlice(content, tuple(pod for _, pod in endpoints))

    def _family(self, name: str | None) -> int | None:
        if name not in _TYPES:
            what = f"{quote(name)} is no address type that ovsnp knows" if name else "missing"
            self._report.note(("addressType",), f"{what}; ovsnp leaves the slice out")
        return _FAMILIES.get(name or "")

    def _service(self, metadata: wire.ApiMetadata | None) -> str:
        """The Service that the slice belongs to; empty if there is none."""
        service = (metadata and metadata.labels and metadata.labels.get(SERVICE_NAME)) or ""
        if fault := label_value_fault(service):
            self._report.add(("metadata", "labels", SERVICE_NAME), fault)
        return service

    def _ports(self, ports: Sequence[wire.ApiEndpointPort | None]) -> Iterator[SlicePort]:
        """The ports. A port without a number means "all ports": no Service has such a port, so it is left out."""
        names: set[str] = set()
        for index, port in enumerate(ports):
            path = ("ports", index)
            if port is None:
                self._report.add(path, _NULL_PORT)
                continue
            name = port.name or ""
            self._report.add((*path, "name"), _name_fault(name, names))
            names.add(name)
            protocol = known_protocol(port.protocol, (*path, "protocol"), self._report)
            if port.port is not None:
                self._report.add((*path, "port"), port_number_fault(port.port))
            if protocol and port.port is not None:
                yield SlicePort(name, protocol, port.port)

    def _endpoints(
        self, endpoints: Sequence[wire.ApiEndpoint | None], namespace: str, wanted: int
    ) -> Iterator[tuple[SliceEndpoint, str | None]]:
        for index, endpoint in enumerate(endpoints):
            path = ("endpoints", index)
            if endpoint is None:
                self._report.add(path, _NULL_ENDPOINT)
                continue
            address = self._address(endpoint.addresses or (), wanted, (*path, "addresses"))
            if address is not None:
                conditions = endpoint.conditions or _NULL_CONDITIONS
                read = SliceEndpoint(address, self._node(endpoint.node_name), *_readiness(conditions))
                yield read, pod_of(endpoint.target_ref, namespace)

    def _address(self, texts: Sequence[str | None], wanted: int, path: Path) -> Address | None:
        """The address of an endpoint: the first of its list, in which all must be valid.

        The API: "These are all assumed to be fungible and clients may choose to only use the first element."
        """
        if not texts:
            self._report.add(path, _NO_ADDRESS)
        found: list[Address] = []
        for index, text in enumerate(texts):
            address = read_address(text or "", (*path, index), self._report)
            if address is not None:
                self._report.add((*path, index), _address_fault(address, wanted))
                found.append(address)
        return found[0] if found else None

    def _node(self, name: str | None) -> str | None:
        node = self._nodes.get(name or "")
        return node.name if node else name or None


def _name_fault(name: str, others: set[str]) -> str | None:
    if name in others:
        return f"{quote(name)} is the name of another port too; give each its own"
    return label_name_fault(name) if name else None


def _readiness(conditions: wire.ApiEndpointConditions) -> tuple[bool, bool]:
    """True if an endpoint is ready, and True if it serves.

    The API: a ``ready`` of nil "should be interpreted as true", a ``serving`` of nil as ``ready``. An endpoint that is
    not ready serves only if it is terminating, as for kube-proxy (pkg/proxy/topology.go).
    """
    ready = conditions.ready is not False
    serving = ready if conditions.serving is None else conditions.serving
    return ready, serving and (ready or conditions.terminating is True)


def _address_fault(address: Address, wanted: int) -> str | None:
    if (own := family(address)) != wanted:
        return (
            f"{format_address(address)} is IPv{own}, and the slice is of addressType IPv{wanted}; "
            f"move it to a slice of IPv{own}"
        )
    special = _special(address)
    if special is None:
        return None
    return f"{format_address(address)} is {special}; write the address that the endpoint is reached at"


def _special(address: Address) -> str | None:
    """The kind of an address that no endpoint may have; None for other addresses.

    The rules are those of ValidateNonSpecialIP (pkg/apis/core/validation), which names only the link-local multicast
    addresses; ovsnp refuses all multicast addresses.
    """
    first = address[0]
    if first not in _SPECIAL_FIRST_BYTES[family(address)]:
        return None
    if not any(address):
        return "the unspecified address"
    if len(address) == 4:
        return _special_ipv4(address)
    if first == 0xFF:
        return "a multicast address"
    if first == 0xFE and address[1] & 0xC0 == 0x80:
        return "a link-local address"
    return "the loopback address" if not any(address[:15]) and address[15] == 1 else None


def _special_ipv4(address: Address) -> str | None:
    match address[0]:
        case 0:
            return None
        case 127:
            return "a loopback address"
        case 169:
            return "a link-local address" if address[1] == 254 else None
        case _:
            return "a multicast address"
