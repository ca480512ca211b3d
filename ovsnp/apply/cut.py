"""Selects the open connections to cut: those for which a Service chose an endpoint that is gone."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from ovsnp.ir.frontend import Backend, Frontend
from ovsnp.model.address import Address, family, parse_address
from ovsnp.model.ports import Protocol
from ovsnp.pipeline.cookies import is_ours
from ovsnp.pipeline.fields import IP_DST, PORT_DST, PROTOCOL_KIND
from ovsnp.pipeline.registers import SERVICE_LABEL
from ovsnp.pipeline.tables import BY_NAME
from ovsnp.switch.conntrack import Tracked
from ovsnp.switch.dump import InstalledFlow, InstalledGroup, groups_reached

_PROTOCOL = {kind: protocol for (_, protocol), kind in PROTOCOL_KIND.items()}
_TRACKED = {protocol.lower(): protocol for protocol in Protocol}
_TRANSLATED = re.compile(r"nat\(dst=\[?([0-9a-f:.]+?)]?:(\d+)\)")


class EndpointConnections(NamedTuple):
    """The connections to a cluster IP and port for which the Service chose one endpoint."""

    protocol: Protocol
    address: Address
    port: int
    backend: Backend

    @property
    def portless(self) -> "EndpointConnections":
        """The same connections in a datapath that keeps no ports."""
        return self._replace(port=0, backend=Backend(self.backend.address, 0))


def was_given(tracked: Tracked) -> EndpointConnections | None:
    """The cluster IP, port and endpoint of an open connection; SCTP ports are 0 if the datapath keeps none.

    None if Services do not serve the protocol.
    """
    if tracked.protocol not in _TRACKED:
        return None
    backend = Backend(parse_address(tracked.answers), tracked.answering_port)
    return EndpointConnections(_TRACKED[tracked.protocol], parse_address(tracked.destination), tracked.port, backend)


def among(connections: Collection[EndpointConnections]) -> Callable[[Tracked], bool]:
    """A predicate that is true for these connections."""
    named = _with_portless(connections)
    return lambda tracked: was_given(tracked) in named


def unserved(frontends: Iterable[Frontend]) -> Callable[[Tracked], bool]:
    """A predicate that is true for connections to a cluster IP whose endpoint must not have connections any more."""
    staying = _with_portless({given for frontend in frontends for given in _staying(frontend)})

    def is_unserved(tracked: Tracked) -> bool:
        bound = tracked.label >> SERVICE_LABEL.lsb & 1
        given = was_given(tracked) if bound else None
        return given is not None and given not in staying

    return is_unserved


def to_cut(
    flows: Iterable[InstalledFlow],
    groups: Mapping[int, InstalledGroup],
    touched: Collection[int],
    frontends: Iterable[Frontend],
) -> tuple[EndpointConnections, ...]:
    """The connections that the bridge's flows and ``touched`` groups could have made, and that must end.

    A UDP connection ends when its endpoint gets no new connections. Other connections go on while the endpoint is
    listed, so that a terminating endpoint can finish its work (as in kube-proxy).
    """
    made = {given for flow in flows if is_ours(flow.cookie) for given in _made(flow, groups, touched)}
    if not made:
        return ()
    return tuple(sorted(made - {given for frontend in frontends for given in _staying(frontend)}))


def cut_by(before: Iterable[Frontend], after: Iterable[Frontend]) -> tuple[EndpointConnections, ...]:
    """The connections that must end because of a change of Services; as `to_cut`, from the ports of these Services."""
    made = {
        EndpointConnections(frontend.protocol, frontend.address, frontend.port, backend)
        for frontend in before
        for backend in (*frontend.backends, *frontend.leaving)
    }
    return tuple(sorted(made - {given for frontend in after for given in _staying(frontend)}))


def _with_portless(connections: Collection[EndpointConnections]) -> set[EndpointConnections | None]:
    return {*connections, *(each.portless for each in connections if each.protocol is Protocol.SCTP)}


def _made(
    flow: InstalledFlow, groups: Mapping[int, InstalledGroup], touched: Collection[int]
) -> Iterator[EndpointConnections]:
    if flow.table not in (BY_NAME["Service"].id, BY_NAME["Endpoint"].id):
        return
    parts = dict(part.partition("=")[::2] for part in flow.match)
    texts = [flow.actions]
    for group in groups_reached([flow.actions], groups).intersection(touched, groups):
        texts += groups[group].buckets.values()
    for address, port in (found for text in texts for found in _TRANSLATED.findall(text)):
        backend = Backend(parse_address(address), int(port))
        to = parts[IP_DST[family(backend.address)].name]
        (protocol,) = (_PROTOCOL[kind] for kind in parts if kind in _PROTOCOL)
        yield EndpointConnections(protocol, parse_address(to), int(parts[PORT_DST.name]), backend)


def _staying(frontend: Frontend) -> Iterator[EndpointConnections]:
    leaving = () if frontend.protocol is Protocol.UDP else frontend.leaving
    for backend in (*frontend.backends, *leaving):
        yield EndpointConnections(frontend.protocol, frontend.address, frontend.port, backend)
