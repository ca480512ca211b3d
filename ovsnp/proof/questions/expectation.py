"""What the oracle expects of one node's bridge."""

from ovsnp.model.bridge import Ports
from ovsnp.model.options import Options
from ovsnp.model.policy import Direction
from ovsnp.model.ports import Protocol
from ovsnp.pipeline.ports import TUNNEL_UDP_PORTS
from ovsnp.proof.questions.addresses import Far
from ovsnp.proof.questions.traffic import Cells
from ovsnp.proof.questions.ways import Ways
from ovsnp.verify import Endpoint, NodeEnd, PodEnd
from ovsnp.verify.judge import exemption
from ovsnp.verify.prepared import Prepared


class Expectation(Ways):
    """Answers for the bridge of ``options.node`` and one family."""

    def __init__(self, prepared: Prepared, ports: Ports, options: Options, version: int, cells: Cells) -> None:
        super().__init__(prepared, ports, options, version)
        self.cells = cells
        self._sides: dict[object, int] = {}
        self._tunneled = sum({cells.of(Protocol.UDP, port) for port in TUNNEL_UDP_PORTS.values()})

    def allowed(self, source: Far, destination: Far, via: bool) -> int:
        """The traffic that may be opened, as far as this node's pods decide: who sends, or who receives, is local.

        Through a Service (``via``) a pod that reaches itself is judged like anyone.
        """
        found = self.egress(source, destination, via=via) & self.ingress(source, destination, via=via)
        return found & ~self.tunneled(source, destination)

    def egress(self, source: Far, destination: Far, *, via: bool) -> int:
        """The traffic that a local source's policies allow."""
        if not self._is_local(source.end):
            return self.cells.all
        return self._side(Direction.EGRESS, source.end, destination, (source.end, destination.end), via=via)

    def ingress(self, source: Far, destination: Far, *, via: bool) -> int:
        """The traffic that a local destination's policies allow."""
        if not self._is_local(destination.end):
            return self.cells.all
        return self._side(Direction.INGRESS, destination.end, source, (source.end, destination.end), via=via)

    def _is_local(self, end: Endpoint) -> bool:
        return isinstance(end, PodEnd) and end.pod.key in self.local

    def _side(
        self, direction: Direction, near: Endpoint, far: Far, ends: tuple[Endpoint, Endpoint], *, via: bool
    ) -> int:
        assert isinstance(near, PodEnd)
        if exemption(*ends, strict_nodes=self.options.strict_nodes, via=via) is not None:
            return self.cells.all
        if not self.prepared.isolating(direction, near.pod):
            return self.cells.all
        # Of a pod that receives, the names of its own ports count; of one that is sent to, its class tells them.
        names = near.pod.ports if direction is Direction.INGRESS else ()
        key = direction, self.prepared.workloads.of_pod[near.pod.key], names, far.number
        if key not in self._sides:
            rules = self.prepared.rules(direction, near.pod, far.end)
            found = 0
            for _, rule in rules:
                found |= self.cells.of_entries(rule.ports, ends[1])
            self._sides[key] = found
        return self._sides[key]

    def tunneled(self, source: Far, destination: Far) -> int:
        """What a pod may never send: tunnel packets of its own to a node."""
        return self._tunneled if self._is_local(source.end) and isinstance(destination.end, NodeEnd) else 0
