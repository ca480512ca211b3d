"""Ten thousand connections between node-0's pods, and their packets."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address
from random import Random
from typing import NamedTuple

from bench.compiled import pods_of
from bench.packets import End, Flag, tcp, udp
from ovsnp.model.cluster import Cluster, Pod
from ovsnp.model.mac import derived_mac
from ovsnp.model.ports import ContainerPort, Protocol
from ovsnp.oracle import PodEnd, Traffic, judge

CONNECTIONS = 10_000
_EPHEMERAL = range(32_768, 61_000)
_SEQUENCE, _ANSWER = 1_000, 5_000


class Attempt(NamedTuple):
    """A pod that tries to reach a port of another pod."""

    source: Pod
    destination: Pod
    port: ContainerPort

    @property
    def way(self) -> tuple[str, str, ContainerPort]:
        """The key of the attempt: source, destination and port."""
        return self.source.key, self.destination.key, self.port


class Connection(NamedTuple):
    """One attempt from one ephemeral port; only an allowed connection is answered."""

    attempt: Attempt
    source_port: int
    allowed: bool

    def packets(self, router: int | None) -> Iterator[tuple[str, str]]:
        """Sender and frame of each packet, in order; pods send to the MAC of the router, or else of the peer."""
        client = _end(self.attempt.source, self.source_port)
        server = _end(self.attempt.destination, self.attempt.port.number)
        to_server = server if router is None else server._replace(mac=router)
        to_client = client if router is None else client._replace(mac=router)
        asker, answerer = self.attempt.source.key, self.attempt.destination.key
        if self.attempt.port.protocol is Protocol.UDP:
            yield asker, udp(client, to_server)
            if self.allowed:
                yield answerer, udp(server, to_client)
            return
        yield asker, tcp(client, to_server, Flag.SYN, (_SEQUENCE, 0))
        if self.allowed:
            yield answerer, tcp(server, to_client, Flag.SYN | Flag.ACK, (_ANSWER, _SEQUENCE + 1))
            yield asker, tcp(client, to_server, Flag.ACK, (_SEQUENCE + 1, _ANSWER + 1))


def _end(pod: Pod, port: int) -> End:
    mac = derived_mac(pod.addresses)
    if mac is None:
        raise ValueError(f"{pod.key} has no IPv4 address to make a MAC address of")
    return End(mac, IPv4Address(pod.addresses[0]), port)


def ends(cluster: Cluster) -> dict[str, End]:
    """The pods of node-0 as ends of connections on the wire."""
    return {pod.key: _end(pod, 0) for pod in pods_of(cluster)}


class Choice:
    """All possible attempts between node-0's pods, with the verdicts of the oracle."""

    def __init__(self, cluster: Cluster) -> None:
        self._random = Random(3)
        self.allowed: dict[str, list[Attempt]] = defaultdict(list)
        self.denied: dict[str, list[Attempt]] = defaultdict(list)
        for attempt in _attempts(pods_of(cluster)):
            kind = f"{attempt.destination.labels['app']}:{attempt.port.number}/{attempt.port.protocol.lower()}"
            (self.allowed if _is_allowed(cluster, attempt) else self.denied)[kind].append(attempt)

    def connections(self, denied_share: float) -> list[Connection]:
        """Ten thousand different connections.

        All kinds of destinations are equally likely, and so are the pairs of one kind.
        """
        made: dict[tuple[object, int], Connection] = {}
        while len(made) < CONNECTIONS:
            allowed = self._random.random() >= denied_share
            kinds = self.allowed if allowed else self.denied
            attempt = self._random.choice(kinds[self._random.choice(sorted(kinds))])
            port = self._random.choice(_EPHEMERAL)
            made[attempt.way, port] = Connection(attempt, port, allowed)
        return list(made.values())


def _attempts(pods: Sequence[Pod]) -> Iterator[Attempt]:
    for source in pods:
        for destination in pods:
            if source is not destination:
                yield from (Attempt(source, destination, port) for port in destination.ports)


def _is_allowed(cluster: Cluster, attempt: Attempt) -> bool:
    source, destination = (PodEnd(pod, pod.addresses[0]) for pod in (attempt.source, attempt.destination))
    return judge(cluster, source, destination, Traffic(attempt.port.protocol, attempt.port.number)).allowed
