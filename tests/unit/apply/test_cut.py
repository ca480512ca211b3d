"""Which connections to the endpoints of Services must end when the Services change."""

from ovsnp.apply.cut import EndpointConnections, cut_by
from ovsnp.ir.frontend import Backend, Frontend
from ovsnp.model.address import parse_address
from ovsnp.model.ports import Protocol

CLUSTER_IP = parse_address("10.96.0.10")
FIRST, SECOND = (Backend(parse_address(f"10.20.1.{number}"), 80) for number in (10, 11))


def frontend(protocol: Protocol, *backends: Backend, leaving: tuple[Backend, ...] = ()) -> Frontend:
    return Frontend("shop/web", protocol, CLUSTER_IP, 8000, backends, None, frozenset(leaving))


def connections(protocol: Protocol, backend: Backend) -> EndpointConnections:
    return EndpointConnections(protocol, CLUSTER_IP, 8000, backend)


def test_connections_end_with_their_endpoint_or_service() -> None:
    before = frontend(Protocol.TCP, FIRST, SECOND)
    assert cut_by([before], [frontend(Protocol.TCP, SECOND)]) == (connections(Protocol.TCP, FIRST),)
    assert cut_by([before], []) == tuple(connections(Protocol.TCP, backend) for backend in (FIRST, SECOND))
    assert cut_by([before], [before]) == ()


def test_terminating_endpoint_keeps_its_connections_but_not_those_of_udp() -> None:
    for protocol, ended in ((Protocol.TCP, ()), (Protocol.UDP, (connections(Protocol.UDP, FIRST),))):
        before, after = frontend(protocol, FIRST, SECOND), frontend(protocol, SECOND, leaving=(FIRST,))
        assert cut_by([before], [after]) == ended


def test_terminating_endpoint_that_goes_ends_its_connections() -> None:
    before, after = frontend(Protocol.TCP, SECOND, leaving=(FIRST,)), frontend(Protocol.TCP, SECOND)
    assert cut_by([before], [after]) == (connections(Protocol.TCP, FIRST),)
