"""An open connection as conntrack keeps it, in the terms in which policies are written."""

from typing import NamedTuple

from ovsnp.model.address import Address, parse_address
from ovsnp.model.ports import Protocol
from ovsnp.oracle import ICMP, Traffic
from ovsnp.pipeline.fields import Field
from ovsnp.pipeline.registers import ADMITTED, ANSWERED, CARRIED_LABEL, ORIGIN_LABEL, SERVICE_LABEL, Origin
from ovsnp.switch.conntrack import Tracked

_PROTOCOLS = {protocol.lower(): protocol for protocol in Protocol}
_CARRIED_BYTES = CARRIED_LABEL.bits // 8


class OpenConnection(NamedTuple):
    """The ends and the traffic of a connection.

    ``source`` is the address in its packets. A masqueraded connection from another node has the gateway of that node
    there; ``carried`` are then the last bytes of the pod's address, as the tunnel header carried it (zeros: it carried
    none). ``destination`` and ``traffic`` are those of the server: of the endpoint, if a Service chose it; then
    ``opened_to`` are the cluster IP and the Service's port.
    """

    source: Address
    carried: bytes
    by_tunnel: bool
    destination: Address
    traffic: Traffic
    opened_to: tuple[Address, Traffic] | None


def read_connection(tracked: Tracked) -> OpenConnection | None:
    """The connection of a conntrack entry; None if the entry lets nothing pass that policy does not judge.

    That is an entry for which policy has admitted no packet, and an SCTP entry of a datapath that keeps no SCTP ports:
    it stands for all associations between two addresses, and policy judges each packet of the client.
    """
    label, protocol = tracked.label, _PROTOCOLS.get(tracked.protocol)
    # A first answer that passes while the admission is withdrawn leaves an answered connection that is not admitted.
    if not (_part(label, ADMITTED) or _part(label, ANSWERED)):
        return None
    if protocol is Protocol.SCTP and not tracked.answering_port:
        return None
    opened_to = None
    if protocol and _part(label, SERVICE_LABEL):
        opened_to = parse_address(tracked.destination), Traffic(protocol, tracked.port)
    return OpenConnection(
        parse_address(tracked.source),
        _part(label, CARRIED_LABEL).to_bytes(_CARRIED_BYTES, "big"),
        _part(label, ORIGIN_LABEL) == Origin.TUNNEL,
        parse_address(tracked.answers),
        Traffic(protocol, tracked.answering_port) if protocol else ICMP,
        opened_to,
    )


def is_answered(tracked: Tracked) -> bool:
    """True if the server has answered: only then the connection is open."""
    return bool(_part(tracked.label, ANSWERED))


def last_bytes(address: Address) -> bytes:
    """The bytes of a pod's address that a label can hold: an IPv4 address as a whole."""
    return address[-_CARRIED_BYTES:]


def _part(label: int, field: Field) -> int:
    return label >> field.lsb & ((1 << field.bits) - 1)
