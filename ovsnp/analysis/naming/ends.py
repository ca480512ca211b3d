"""The two ends of a connection, as SRC and DST name them."""

from collections.abc import Sequence

import msgspec

from ovsnp.model.address import FAMILIES, Address, family, format_address
from ovsnp.model.cluster import Pod
from ovsnp.model.service import Service
from ovsnp.oracle import Endpoint, NodeEnd, PodEnd

DEFAULT_NAMESPACE = "default"
"""The namespace of a pod, workload or Service that is written without one."""

SERVICE = "svc/"


class ClusterIPEnd(msgspec.Struct, frozen=True):
    """A cluster IP; ``service`` is None where the address is in a service CIDR and no Service has it."""

    address: Address
    service: Service | None


Destination = Endpoint | ClusterIPEnd


class Source(msgspec.Struct, frozen=True):
    """The end that opens a connection: the full name, the ends with that name, and notes for the user.

    There is one end for each address family; for several pods or nodes, one for each pod or node and family.
    """

    name: str
    ends: tuple[Endpoint, ...]
    notes: tuple[str, ...] = ()


class Target(msgspec.Struct, frozen=True):
    """The end to which a connection is opened: like `Source`, but it may be a Service."""

    name: str
    ends: tuple[Destination, ...]
    notes: tuple[str, ...] = ()


def name_of(end: Destination) -> str:
    """The name that SRC or DST may be: ``NAMESPACE/POD``, ``node/NAME``, ``svc/NAMESPACE/NAME``, or an address."""
    match end:
        case PodEnd(pod=pod):
            return pod.title
        case NodeEnd(node=node):
            return f"node/{node.name}"
        case ClusterIPEnd(service=Service(key=key)):
            return f"{SERVICE}{key}"
        case _:
            return format_address(end.address)


def full_key(text: str) -> str:
    """``NAMESPACE/NAME`` of a name that may be written without the namespace."""
    return text if "/" in text else f"{DEFAULT_NAMESPACE}/{text}"


def pod_ends(pod: Pod) -> tuple[PodEnd, ...]:
    """The ends of a pod: one for the first address of each family."""
    return tuple(PodEnd(pod, each) for each in one_a_family(pod.addresses))


def one_a_family(addresses: Sequence[Address]) -> list[Address]:
    """The first address of each family, IPv4 first."""
    first = (next((each for each in addresses if family(each) == version), None) for version in FAMILIES)
    return [address for address in first if address is not None]
