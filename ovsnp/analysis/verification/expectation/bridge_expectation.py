"""What the oracle expects of one node's bridge."""

from ovsnp.analysis.verification.expectation.next_hops import NextHops
from ovsnp.analysis.verification.packet_classes.addresses import PeerClass
from ovsnp.analysis.verification.packet_classes.traffic import Cells
from ovsnp.model.bridge import BridgePorts
from ovsnp.model.options import Options
from ovsnp.model.policy import Direction
from ovsnp.model.ports import Protocol
from ovsnp.oracle import Endpoint, NodeEnd, PodEnd
from ovsnp.oracle.indexed_oracle import IndexedOracle
from ovsnp.oracle.judge import exemption
from ovsnp.oracle.relation import Relation
from ovsnp.pipeline.ports import TUNNEL_UDP_PORTS


class BridgeExpectation(NextHops):
    """What may pass the bridge of ``options.node`` in one family; ``relation`` is over address classes and cells."""

    def __init__(
        self,
        oracle: IndexedOracle,
        ports: BridgePorts,
        options: Options,
        version: int,
        cells: Cells,
        relation: Relation,
    ) -> None:
        super().__init__(oracle, ports, options, version)
        self.cells, self._relation = cells, relation
        self._tunneled = sum({cells.of(Protocol.UDP, port) for port in TUNNEL_UDP_PORTS.values()})

    def allowed(self, source: PeerClass, destination: PeerClass, via: bool) -> int:
        """The traffic, as bits, of the connections that policies of this node's pods allow: one end or both are local.

        Through a Service (``via``) a pod that reaches itself is judged like any other pod.
        """
        found = self.egress(source, destination, via=via) & self.ingress(source, destination, via=via)
        return found & ~self.tunneled(source, destination)

    def egress(self, source: PeerClass, destination: PeerClass, *, via: bool) -> int:
        """The traffic that a local source's policies allow; all traffic of any other source."""
        if not self._is_local(source.end) or self._is_exempt(source, destination, via=via):
            return self.cells.all
        return self._relation.side(Direction.EGRESS, source.number).of(destination.number)

    def ingress(self, source: PeerClass, destination: PeerClass, *, via: bool) -> int:
        """The traffic that a local destination's policies allow; all traffic to any other destination."""
        if not self._is_local(destination.end) or self._is_exempt(source, destination, via=via):
            return self.cells.all
        return self._relation.side(Direction.INGRESS, destination.number).of(source.number)

    def _is_local(self, end: Endpoint) -> bool:
        return isinstance(end, PodEnd) and end.pod.key in self.local

    def _is_exempt(self, source: PeerClass, destination: PeerClass, *, via: bool) -> bool:
        return exemption(source.end, destination.end, strict_nodes=self.options.strict_nodes, via=via) is not None

    def tunneled(self, source: PeerClass, destination: PeerClass) -> int:
        """The traffic that a local pod may never send: tunnel packets of its own to a node."""
        return self._tunneled if self._is_local(source.end) and isinstance(destination.end, NodeEnd) else 0
