"""Short builders of hosts, cells and matrices."""

from ovsnp.lab.hosts import Host, HostKind
from ovsnp.lab.matrix import Case, Matrix, MeasuredCell
from ovsnp.lab.probes import Result
from ovsnp.model.address import family, format_address, parse_address
from ovsnp.model.ports import Protocol
from ovsnp.oracle import Traffic

REDIS = Traffic(Protocol.TCP, 6379)
HTTP = Traffic(Protocol.TCP, 80)


def host(name: str, *addresses: str) -> Host:
    kind = HostKind.OUTSIDE if "/" not in name else HostKind.NODE if name.startswith("node/") else HostKind.POD
    return Host(kind, name, name.replace("/", "-"), tuple(map(parse_address, addresses)))


def cells(source: Host, destination: Host, *, connected: bool, traffic: Traffic = REDIS) -> list[MeasuredCell]:
    """A cell, measured as expected, for every pair of addresses of one family."""
    return [
        MeasuredCell(
            Case(source, destination, one, other, traffic),
            connected,
            Result("connected", format_address(one)) if connected else Result("silence"),
        )
        for one in source.addresses
        for other in destination.addresses
        if family(one) == family(other)
    ]


def matrix(hosts: list[Host], reached: dict[Traffic, set[tuple[str, str]]]) -> Matrix:
    """A full matrix in which exactly these pairs, by name, connect."""
    return Matrix(
        tuple(hosts),
        tuple(reached),
        tuple(
            cell
            for source in hosts
            for destination in hosts
            if source != destination
            for traffic, pairs in reached.items()
            for cell in cells(source, destination, connected=(source.name, destination.name) in pairs, traffic=traffic)
        ),
    )
