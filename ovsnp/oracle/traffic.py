"""The traffic of a connection, and the port entries of a rule that match it."""

from collections.abc import Sequence

import msgspec

from ovsnp.model.ports import PortEntry, Protocol
from ovsnp.oracle.endpoints import Endpoint, PodEnd


class Traffic(msgspec.Struct, frozen=True):
    """A protocol and a destination port; the protocol None stands for all that no port entry can name, such as ICMP.

    Raises ValueError for TCP, UDP or SCTP without a port, and for another protocol with a port.
    """

    protocol: Protocol | None
    port: int | None = None

    def __post_init__(self) -> None:
        if (self.protocol is None) != (self.port is None):
            raise ValueError("TCP, UDP and SCTP have a destination port; other protocols have none")


ICMP = Traffic(None)


def port_matches(entries: Sequence[PortEntry], traffic: Traffic, destination: Endpoint) -> bool:
    """True if at least one item of a rule's ``ports`` matches; port names are those of the destination.

    "If this field is empty or missing, this rule matches all ports (traffic not restricted by port)."
    "Each item in this list is combined using a logical OR."
    """
    return not entries or any(entry_matches(entry, traffic, destination) for entry in entries)


def entry_matches(entry: PortEntry, traffic: Traffic, destination: Endpoint) -> bool:
    """True if this item matches."""
    # "protocol represents the protocol (TCP, UDP, or SCTP) which traffic must match."
    if entry.protocol is not traffic.protocol or traffic.port is None:
        return False
    match entry.port:
        case None:
            # "If this field is not provided, this matches all port names and numbers."
            return True
        case str(name):
            # "This can either be a numerical or named port on a pod."
            return _is_named(name, traffic, destination)
        case first:
            # "endPort indicates that the range of ports from port to endPort if set, inclusive, should be allowed"
            last = first if entry.end_port is None else entry.end_port
            return first <= traffic.port <= last


def _is_named(name: str, traffic: Traffic, destination: Endpoint) -> bool:
    """True if the destination is a pod with a container port of this name, protocol and number."""
    return isinstance(destination, PodEnd) and any(
        (port.name, port.protocol, port.number) == (name, traffic.protocol, traffic.port)
        for port in destination.pod.ports
    )
