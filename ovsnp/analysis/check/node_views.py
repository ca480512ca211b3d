"""The part of a connection at one node's bridge: the first packet that enters, and what the bridge must do with it."""

from collections.abc import Iterator, Mapping

import msgspec

from ovsnp.analysis.check.entrances import Entrance, Entrances, opening
from ovsnp.analysis.explain.reasons import Outcome
from ovsnp.analysis.naming.ends import ClusterIPEnd, name_of
from ovsnp.analysis.naming.questions import Connection
from ovsnp.analysis.verification.expectation.next_hops import NextHop, NextHops
from ovsnp.model.address import FAMILIES, Address, family
from ovsnp.model.bridge import BridgePorts
from ovsnp.model.cluster import Cluster
from ovsnp.model.options import Options
from ovsnp.oracle import Endpoint, NodeEnd, PodEnd, ServingBackend, Traffic, Verdict, judge, judge_service
from ovsnp.oracle.indexed_oracle import IndexedOracle
from ovsnp.pipeline.ports import ROUTER_MAC

_NOWHERE = NextHop(0, 0)


class Demand(msgspec.Struct, frozen=True):
    """What a bridge must do with a packet: ``wanted`` is allowed (the packet leaves by ``way``) or denied.

    None: the node at the other end decides, so the packet may pass or not.
    """

    wanted: Outcome | None
    way: NextHop = _NOWHERE


class NodeView(msgspec.Struct, frozen=True):
    """The first packet at a bridge: its fields, and the way into the bridge in words.

    ``demands`` are the demands for each endpoint of a Service that the bridge's own flows may choose; ``otherwise`` is
    for any other endpoint, and for a packet without one.
    """

    fields: Mapping[str, int]
    came: str
    otherwise: Demand
    demands: Mapping[ServingBackend, Demand] = {}

    @property
    def open(self) -> bool:
        """True if the packet may pass or not; False where this bridge chooses the endpoint, since not any will do."""
        return self.otherwise.wanted is None


class Halves:
    """The halves of connections at the bridge of ``options.node``."""

    def __init__(self, cluster: Cluster, ports: BridgePorts, options: Options) -> None:
        self._oracle, self._options = IndexedOracle(cluster), options
        self._ways = {version: NextHops(self._oracle, ports, options, version) for version in FAMILIES}
        self._entrances = Entrances(self._ways)

    def of(self, connection: Connection, expected: Outcome) -> Iterator[NodeView]:
        """The views of a connection at the bridge; none where the connection does not come to the bridge."""
        source, destination = connection.source, connection.destination
        entrance = self._entrances.first(source)
        if isinstance(destination, ClusterIPEnd):
            verdicts = judge_service(
                self._oracle,
                source,
                destination.address,
                connection.traffic,
                entry=self._options.node,
                strict_nodes=self._options.strict_nodes,
                service_blocks=self._options.service_blocks,
            )
            if entrance is None:
                yield from self._given_elsewhere(connection, verdicts, expected)
            else:
                yield self._given_here(entrance, connection, verdicts, expected)
        elif self._is_local(source) or self._is_local(destination) or self._is_own(source):
            yield from self._direct(entrance, connection, destination, expected)

    def _direct(
        self, entrance: Entrance | None, connection: Connection, destination: Endpoint, expected: Outcome
    ) -> Iterator[NodeView]:
        source, traffic = connection.source, connection.traffic
        entrance = entrance or self._entrances.tunnel(source)
        way = self._way(destination.address)
        # A packet for the port that it would come from stays behind that port, and never enters the bridge.
        if entrance is None or way.port == entrance.port:
            return
        verdict = judge(self._oracle, source, destination, traffic, strict_nodes=self._options.strict_nodes)
        demand = self._demand(verdict, (source, destination), expected)
        fields = {**entrance.fields, **opening(source.address, destination.address, traffic)}
        yield NodeView(fields, entrance.name, demand)

    def _given_here(
        self, entrance: Entrance, connection: Connection, verdicts: Mapping[ServingBackend, Verdict], expected: Outcome
    ) -> NodeView:
        """A connection to a cluster IP for which this bridge chooses the endpoint."""
        source = connection.source
        demands = {
            backend: self._demand(verdict, (source, self._oracle.who(backend.address)), expected)
            for backend, verdict in verdicts.items()
        }
        fields = {**entrance.fields, **opening(source.address, connection.destination.address, connection.traffic)}
        # There is no way to an endpoint that is not the Service's, nor to the cluster IP itself.
        return NodeView(fields, entrance.name, Demand(expected), demands)

    def _given_elsewhere(
        self, connection: Connection, verdicts: Mapping[ServingBackend, Verdict], expected: Outcome
    ) -> Iterator[NodeView]:
        """A connection for which another node's bridge chose an endpoint here; its packet has the carrier's fields."""
        source, entrance = connection.source, self._entrances.tunnel(connection.source)
        for backend, verdict in verdicts.items():
            end = self._oracle.who(backend.address)
            if entrance is None or not self._is_local(end):
                continue
            demand = self._demand(verdict, (source, end), expected)
            traffic = Traffic(connection.traffic.protocol, backend.port)
            fields = {**entrance.fields, **opening(source.address, backend.address, traffic)}
            if isinstance(source, PodEnd):
                fields |= self._entrances.carried(source.address)
            given = f"{entrance.name}, given {name_of(end)} at port {backend.port}"
            yield NodeView(fields, given, demand)

    def _demand(self, verdict: Verdict, ends: tuple[Endpoint, Endpoint], expected: Outcome) -> Demand:
        source, destination = ends
        if expected is Outcome.ALLOWED:
            return Demand(expected, self._way(destination.address))
        here = [verdict.egress] if self._is_local(source) else []
        here += [verdict.ingress] if self._is_local(destination) else []
        denied = verdict.undelivered or not all(side.allowed for side in here)
        return Demand(expected if denied else None)

    def _way(self, address: Address) -> NextHop:
        return self._ways[family(address)].way(address, ROUTER_MAC) or _NOWHERE

    def _is_local(self, end: Endpoint) -> bool:
        return isinstance(end, PodEnd) and end.pod.key in self._ways[family(end.address)].local

    def _is_own(self, end: Endpoint) -> bool:
        return isinstance(end, NodeEnd) and end.node.name == self._options.node
