"""The measured matrix: for every pair of hosts in both directions, the oracle's answer and the measured result."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from ovsnp.lab.hosts import Host, HostKind
from ovsnp.lab.pace import Pace
from ovsnp.lab.persistence import persist
from ovsnp.lab.probes import Agents, Probe, Result
from ovsnp.model.address import Address, family, format_address
from ovsnp.model.cluster import Cluster
from ovsnp.model.policy import Direction
from ovsnp.model.ports import PortEntry, Protocol
from ovsnp.oracle import ICMP, Traffic, judge, who

CONTROL_PORTS = {Protocol.TCP: (80, 8080, 8081), Protocol.UDP: (53, 5353, 5354), Protocol.SCTP: (9899, 9900, 9901)}


class Case(msgspec.Struct, frozen=True):
    """One connection: the source and destination hosts, their addresses, and the traffic."""

    source: Host
    destination: Host
    source_address: Address
    destination_address: Address
    traffic: Traffic


class MeasuredCell(msgspec.Struct, frozen=True):
    """A case, whether the oracle allows it, and the measured result."""

    case: Case
    allowed: bool
    result: Result

    @property
    def passed(self) -> bool:
        """True if the result is as expected.

        Allowed: data went both ways, and the server saw the source's own address. Denied: nothing came back.
        """
        if not self.allowed:
            return self.result.outcome == "silence"
        return self.result.connected and self.result.seen in ("", format_address(self.case.source_address))


class Matrix(msgspec.Struct, frozen=True):
    """All cells of one measurement, in the order of ``hosts`` and ``traffics``."""

    hosts: tuple[Host, ...]
    traffics: tuple[Traffic, ...]
    cells: tuple[MeasuredCell, ...]

    @property
    def failed(self) -> tuple[MeasuredCell, ...]:
        """The cells whose result is not as expected."""
        return tuple(cell for cell in self.cells if not cell.passed)


def concerned(cluster: Cluster) -> list[Traffic]:
    """The traffic to try.

    Every port that a policy names; of a range, both ends and the ports next to them; for TCP, for UDP, and for SCTP
    where a policy names it, one port that no policy names; and ICMP.
    """
    named: dict[Protocol, set[int]] = {Protocol.TCP: set(), Protocol.UDP: set()}
    for entry in _entries(cluster):
        named.setdefault(entry.protocol, set()).update(_numbers(entry, cluster))
    found = [
        Traffic(protocol, port)
        for protocol, ports in named.items()
        for port in [*sorted(ports), *[port for port in CONTROL_PORTS[protocol] if port not in ports][:1]]
    ]
    return [*found, ICMP]


def _entries(cluster: Cluster) -> Iterator[PortEntry]:
    for policy in cluster.policies:
        for direction in Direction:
            for rule in policy.rules(direction):
                yield from rule.ports


def _numbers(entry: PortEntry, cluster: Cluster) -> Iterator[int]:
    match entry.port:
        case None:
            return
        case str(name):
            for pod in cluster.pods:
                yield from (port.number for port in pod.ports if port.name == name and port.protocol == entry.protocol)
        case number if entry.end_port is None:
            yield number
        case first:
            last = entry.end_port
            yield from (port for port in (first - 1, first, last, last + 1) if 1 <= port <= 65535)


def cases(hosts: Sequence[Host], traffics: Sequence[Traffic]) -> Iterator[Case]:
    """Every pair of hosts with at least one pod, in both directions, over all address pairs of one family.

    Between nodes and outside hosts policies do not apply, and the packets never enter the integration bridge.
    """
    for source in hosts:
        for destination in hosts:
            if source == destination or HostKind.POD not in (source.kind, destination.kind):
                continue
            for one in source.addresses:
                for other in destination.addresses:
                    if family(one) == family(other):
                        yield from (Case(source, destination, one, other, traffic) for traffic in traffics)


def expected(cluster: Cluster, case: Case, *, strict_nodes: bool) -> bool:
    """True if the oracle allows the connection."""
    source, destination = who(cluster, case.source_address), who(cluster, case.destination_address)
    return judge(cluster, source, destination, case.traffic, strict_nodes=strict_nodes).allowed


def servers(hosts: Iterable[Host], traffics: Sequence[Traffic]) -> dict[str, list[tuple[str, str, int]]]:
    """The (protocol, address, port)s at which each container listens; the kernel answers ICMP."""
    return {
        host.container: [
            (traffic.protocol.lower(), format_address(address), traffic.port)
            for address in host.addresses
            for traffic in traffics
            if traffic.protocol is not None and traffic.port is not None
        ]
        for host in hosts
    }


def measure(
    agents: Agents,
    cluster: Cluster,
    hosts: Sequence[Host],
    traffics: Sequence[Traffic],
    pace: Pace,
    *,
    strict_nodes: bool,
) -> Matrix:
    """Try every case, or the sample of ``pace``, and compare the results with the oracle.

    The servers must listen already. Raises SwitchError where an agent fails.
    """
    all_cases = pace.of(list(cases(hosts, traffics)))
    expectations = [expected(cluster, case, strict_nodes=strict_nodes) for case in all_cases]
    results = persist(agents, list(map(_probe, all_cases)), expectations, pace)
    return Matrix(tuple(hosts), tuple(traffics), tuple(map(MeasuredCell, all_cases, expectations, results)))


def _probe(case: Case) -> Probe:
    return Probe(
        case.source.container,
        "icmp" if case.traffic.protocol is None else case.traffic.protocol.lower(),
        format_address(case.source_address),
        format_address(case.destination_address),
        case.traffic.port or 0,
    )
