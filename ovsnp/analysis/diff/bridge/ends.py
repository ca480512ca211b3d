"""The ends of the connections of one node's pods, in classes that neither flows nor policies tell apart."""

from collections.abc import Collection, Iterator, Sequence

from ovsnp.analysis.diff.effect.ends import ComparedEnd, Family
from ovsnp.analysis.diff.effect.reasons import Reason, reason_now
from ovsnp.analysis.verification.expectation.next_hops import UNROUTABLE
from ovsnp.analysis.verification.expectation.proof_context import ProofContext
from ovsnp.analysis.verification.packet_classes.addresses import PeerClass
from ovsnp.model.address import Address, host_prefix
from ovsnp.model.policy import Direction
from ovsnp.oracle import NodeEnd, OutsideEnd, judge
from ovsnp.oracle.classes import TrafficClass
from ovsnp.oracle.multicast import is_group_address


class NodeEnds:
    """The ends of one family that a node's pods have connections with; each of these pods is an end of its own.

    Nodes are among the ends with ``strict_nodes``, or if an address of ``named`` is a node's: else no line is about
    nodes.
    """

    def __init__(self, context: ProofContext, named: Collection[Address]) -> None:
        self.new = context.expect.oracle
        self._context = context
        self._nodes = context.expect.options.strict_nodes or any(
            isinstance(self.new.who(address), NodeEnd) for address in named
        )
        self.locals = frozenset(each.address for each in context.expect.locals)
        compared = sorted((each for each in context.far if self._is_compared(each)), key=lambda each: each.address)
        ends = tuple(ComparedEnd(number, far.address, far.held, far.ranges) for number, far in enumerate(compared))
        self.numbers = {end.representative: end.number for end in ends}
        of_address = {address: end.number for end in ends for address in end.held}
        self.family = Family(context.version, ends, of_address, {})

    def _is_compared(self, far: PeerClass) -> bool:
        """Whether a class is an end: nobody is at vacant addresses, nor at those of groups and Services."""
        match far.end:
            case NodeEnd():
                return self._nodes
            case OutsideEnd() as end:
                nobodys = (*UNROUTABLE, *self._context.expect.service_cidrs)
                return not (
                    far.vacant
                    or is_group_address(self.new.cluster, end)
                    or any(cidr.contains(host_prefix(far.address)) for cidr in nobodys)
                )
            case _:
                return True

    def pair(self, source: ComparedEnd, destination: ComparedEnd) -> tuple[Address, Address] | None:
        """A member of each; None for an end with itself. Nobody asks about two ends that are both on other nodes."""
        near, far = source.representative, destination.representative
        return (near, far) if near != far else None

    def reasons(
        self, source: ComparedEnd, destination: ComparedEnd, traffic: Sequence[TrafficClass]
    ) -> Iterator[Reason]:
        """The rules of this node's pods that admit, or the policies that isolate the pods."""
        near, far = source.representative, destination.representative
        sides = ((Direction.EGRESS, near), (Direction.INGRESS, far))
        here = [direction for direction, address in sides if address in self.locals]
        strict = self._context.expect.options.strict_nodes
        for each in traffic:
            verdict = judge(self.new, self.new.who(near), self.new.who(far), each.representative, strict_nodes=strict)
            yield from reason_now(verdict, here)
