"""Services and their endpoints (https://kubernetes.io/docs/concepts/services-networking/service/)."""

import msgspec

from ovsnp.errors import Place
from ovsnp.model.address import Address
from ovsnp.model.ports import Protocol
from ovsnp.model.selector import Selector


class ServicePort(msgspec.Struct, frozen=True):
    """One port of a Service: ``name`` may be empty; ``target`` is a number (1 to 65535) or a container port's name."""

    name: str
    protocol: Protocol
    number: int
    target: int | str


class Service(msgspec.Struct, frozen=True):
    """A Service with cluster IPs; headless and ExternalName Services need no flows.

    ``selector`` is None where the endpoints come from EndpointSlices only. ``affinity`` is the time in seconds for
    which a client keeps its endpoint (None: no affinity). With ``local`` (``internalTrafficPolicy: Local``) only
    endpoints on the client's node serve. ``unready`` is ``publishNotReadyAddresses``.
    """

    namespace: str
    name: str
    cluster_ips: tuple[Address, ...]
    ports: tuple[ServicePort, ...]
    selector: Selector | None
    affinity: int | None
    local: bool
    unready: bool
    place: Place

    @property
    def key(self) -> str:
        """``NAMESPACE/NAME``."""
        return f"{self.namespace}/{self.name}"


class SlicePort(msgspec.Struct, frozen=True):
    """A port of an EndpointSlice; it serves the Service's port of the same name and protocol."""

    name: str
    protocol: Protocol
    number: int


class SliceEndpoint(msgspec.Struct, frozen=True):
    """An endpoint: address, node (None: unknown), and whether it is ready, or still serves while it terminates."""

    address: Address
    node: str | None
    ready: bool
    serving: bool


class EndpointSlice(msgspec.Struct, frozen=True):
    """Some of a Service's endpoints, of one address family."""

    namespace: str
    name: str
    service: str
    ports: tuple[SlicePort, ...]
    endpoints: tuple[SliceEndpoint, ...]
    place: Place
