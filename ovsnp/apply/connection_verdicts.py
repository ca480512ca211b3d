"""The verdicts of the oracle on open connections."""

from bisect import bisect_right
from collections.abc import Collection, Iterable
from typing import NamedTuple

from ovsnp.apply.judged_objects import JudgedObjects, Senders
from ovsnp.apply.open_connection import OpenConnection
from ovsnp.model.address import FAMILIES, Address, Prefix, family
from ovsnp.model.cluster import Cluster
from ovsnp.model.options import Options
from ovsnp.oracle import Traffic, judge, service_at
from ovsnp.oracle.indexed_oracle import IndexedOracle
from ovsnp.oracle.ranges import of_prefix


def forbidden_among(
    connections: Collection[OpenConnection], objects: JudgedObjects, options: Options
) -> set[OpenConnection]:
    """The connections that the policies of either end forbid.

    Both ends count on the node of either end. If only the node of the server cut a connection, the node of the client
    would take the server's next packets for answers, although the client may accept no connection from the server.
    """
    cluster, senders = objects.part(connections)
    verdicts = _Verdicts(cluster, senders, options)
    return {each for each in connections if verdicts.forbid(each)}


class _Question(NamedTuple):
    """What a verdict depends on; an end that is neither a pod nor a node is the number of its part of the addresses."""

    source: Address | tuple[int, int]
    destination: Address | tuple[int, int]
    traffic: Traffic
    opened_to: tuple[Address, Traffic] | None
    by_tunnel: bool


class _Verdicts:
    """The verdicts; connections of which no policy tells the ends apart are judged once."""

    def __init__(self, cluster: Cluster, senders: Senders, options: Options) -> None:
        self._known = IndexedOracle(cluster)
        self._senders = senders
        self._options = options
        blocks = {block for policy in cluster.policies for block in policy.blocks}
        self._starts = _starts(prefix for block in blocks for prefix in (block.cidr, *block.excepts))
        self._forbidden: dict[_Question, bool] = {}

    def forbid(self, connection: OpenConnection) -> bool:
        """True if a policy forbids the connection; of several senders that it may have, to one of them."""
        return any(self._forbid(sender, connection) for sender in self._senders[connection])

    def _forbid(self, sender: Address, connection: OpenConnection) -> bool:
        _, _, by_tunnel, destination, traffic, opened_to = connection
        question = _Question(self._end(sender), self._end(destination), traffic, opened_to, by_tunnel)
        if question not in self._forbidden:
            self._forbidden[question] = self._judge(sender, connection)
        return self._forbidden[question]

    def _end(self, address: Address) -> Address | tuple[int, int]:
        if address in self._known.held:
            return address
        version = family(address)
        return version, bisect_right(self._starts[version], int.from_bytes(address, "big"))

    def _judge(self, sender: Address, connection: OpenConnection) -> bool:
        service = service_at(self._known.cluster, *connection.opened_to) if connection.opened_to else None
        verdict = judge(
            self._known,
            self._known.who(sender),
            self._known.who(connection.destination),
            connection.traffic,
            strict_nodes=self._options.strict_nodes,
            via=service[0] if service else None,
            opened_to=connection.opened_to if self._options.service_blocks else None,
        )
        # A block may hold the cluster IP, which the node of the endpoint does not know.
        unknown = connection.by_tunnel and self._options.service_blocks
        return not verdict.ingress.allowed or not (unknown or verdict.egress.allowed)


def _starts(prefixes: Iterable[Prefix]) -> dict[int, list[int]]:
    """The addresses, as numbers, at which one of the prefixes begins or has just ended, by family."""
    found: dict[int, set[int]] = {version: set() for version in FAMILIES}
    for prefix in prefixes:
        first, last = of_prefix(prefix)
        found[prefix.family] |= {first, last + 1}
    return {version: sorted(each) for version, each in found.items()}
