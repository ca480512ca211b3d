"""Questions about connections to Services that have an endpoint, after their first packet.

The endpoint may be any address: an endpoint may leave its Service, and its connections stay.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from ovsnp.analysis.verification.expectation.proof_context import DESTINATION, ProofContext, named
from ovsnp.analysis.verification.expectation.verdict_rows import Judge, sending
from ovsnp.analysis.verification.expectation.verdicts import AllDropped, Cases, Verdicts, VerdictTable
from ovsnp.analysis.verification.packet_classes.addresses import PeerClass
from ovsnp.analysis.verification.packet_classes.connection_states import ELEMENTS, NAMES, Piece, chosen, known
from ovsnp.analysis.verification.packet_classes.traffic import NUMBERS, TrafficCell
from ovsnp.analysis.verification.questions.bridge_question import BridgeQuestion
from ovsnp.analysis.verification.questions.by_state import CONNECTIONS, in_states, marks, opened
from ovsnp.analysis.verification.questions.services.clients import Clients, Leaving
from ovsnp.analysis.verification.questions.services.endpoint_choice import ServicePortCase
from ovsnp.analysis.verification.simulator.space import Element, Sets, bits, narrowed
from ovsnp.model.policy import Direction
from ovsnp.oracle import PodEnd, Traffic
from ovsnp.oracle.judge import holds_cluster_ip

CLIENTS, FRONTS, TRAFFIC, _, ENDS = range(5)
_PORT = "undone_port"


class OpenServiceConnections:
    """The questions about open connections of some clients to Services."""

    def __init__(self, context: ProofContext, who: Clients, fronts: Sequence[ServicePortCase]) -> None:
        self._context, self._who, self._fronts, self._ends = context, who, fronts, context.far
        self._ways = context.ways(self._ends, who.origin)
        undone = DESTINATION[context.version]
        self._space = context.space(
            who.elements,
            [{undone: int.from_bytes(each.cluster_ip, "big"), "tp_dst": each.port.number} for each in fronts],
            [_undone(cell) for cell in context.cells.cells],
            ELEMENTS,
            [{"undone": far.value} for far in self._ends],
            marks(context).elements,
            fixed=who.fields,
        )
        start = self._space.fields()
        self._addresses = {undone: start["undone"], "tp_dst": start.get(_PORT, 0)}

    def questions(self) -> Iterator[BridgeQuestion]:
        """The questions about packets of the clients, in every state that a connection with an endpoint may have."""
        context, space, who = self._context, self._space, self._who
        names = [[named(each) for each in who.sources], [str(each) for each in self._fronts], [], NAMES,
                 [named(each) for each in self._ends]]  # fmt: skip
        question = BridgeQuestion(
            "service",
            space,
            names,
            {**context.common(space), **who.fields},
            space.everything,
            AllDropped(),
            note=who.note,
            remembers=opened(context, space, who.kind),
            memory={context.zone: known(space, self._addresses)},
            ends=[(space.everything, context.ends(space)[0], self._addresses[DESTINATION[context.version]])],
        )
        states = chosen(lambda state: state.bound and not state.replies)
        question.sets = narrowed(question.sets, CONNECTIONS, states)
        leaving = Leaving(context, who, self._ends, ENDS, self._addresses)
        for piece, each in self._in_states(question, selfless=True):
            yield from leaving.by_way(each, carried=piece.carried)
        if who.origin == "pod":
            for piece, each in self._in_states(question, selfless=False):
                yield from leaving.back_to_itself(each, bound=piece.carried)

    def _in_states(self, question: BridgeQuestion, *, selfless: bool) -> Iterator[tuple[Piece, BridgeQuestion]]:
        def verdicts(judge: Judge, unsure: bool) -> Verdicts:
            return self._verdicts(judge, unsure=unsure, selfless=selfless)

        for piece, each in in_states(self._context, question, self._who.kind, verdicts):
            for sets in self._of_protocols(each.sets, judged=piece.judged):
                yield piece, replace(each, sets=sets, kind="connection state")

    def _of_protocols(self, sets: Sets, *, judged: bool) -> Iterator[Sets]:
        """The packets with the protocol of their Service's port; packets of other protocols are errors about these."""
        cells, every = self._context.cells.cells, set(NUMBERS.values())
        for protocol in (*sorted(every), None):
            fronts = bits(protocol in (None, NUMBERS[each.port.protocol]) for each in self._fronts)
            those = bits(cell.protocol == protocol if protocol else cell.protocol not in every for cell in cells)
            if (traffic := sets[TRAFFIC] & those) and fronts and (protocol or not judged):
                yield narrowed(narrowed(sets, FRONTS, fronts), TRAFFIC, traffic)

    def _verdicts(self, judge: Judge, *, unsure: bool, selfless: bool) -> Verdicts:
        """The verdicts of a judge; with --service-blocks policy judges also by the cluster IP."""
        expect = self._context.expect

        def on_the_cluster_ip(source: PeerClass, destination: PeerClass, via: bool) -> int:
            return expect.ingress(source, destination, via=via) & ~expect.tunneled(source, destination)

        every = self._space.everything
        plain = self._table(judge, unsure=unsure, selfless=selfless)
        if not unsure or not expect.options.service_blocks:
            return plain
        held = self._table(on_the_cluster_ip, unsure=unsure, selfless=selfless)
        by_holders: dict[int, int] = defaultdict(int)
        for index, front in enumerate(self._fronts):
            by_holders[bits(holds(self._context, source, front) for source in self._who.sources)] |= 1 << index
        parts: list[tuple[Sets, Verdicts]] = []
        for holders, fronts in by_holders.items():
            for clients, table in ((holders, held), (every[CLIENTS] & ~holders, plain)):
                if clients:
                    parts.append((narrowed(narrowed(every, FRONTS, fronts), CLIENTS, clients), table))
        return Cases(*parts)

    def _table(self, judge: Judge, *, unsure: bool, selfless: bool) -> VerdictTable:
        rows = sending(
            self._context, judge, self._who.sources, self._ends, self._ways, unsure=unsure, selfless=selfless, via=True
        )
        return VerdictTable((CLIENTS, ENDS, TRAFFIC), rows)


def _undone(cell: TrafficCell) -> Element:
    """The fields of a cell after conntrack has replaced the cluster IP and port by the endpoint's."""
    return {_PORT if name == "tp_dst" else name: value for name, value in cell.element.items()}


def holds(context: ProofContext, source: PeerClass, front: ServicePortCase) -> bool:
    """Whether, with --service-blocks, an ipBlock of the client's egress rules holds the cluster IP."""
    expect = context.expect
    if (
        not expect.options.service_blocks
        or not isinstance(source.end, PodEnd)
        or source.end.pod.key not in expect.local
    ):
        return False
    opened_to = front.cluster_ip, Traffic(front.port.protocol, front.port.number)
    policies = expect.oracle.isolating(Direction.EGRESS, source.end.pod)
    return any(holds_cluster_ip(rule, opened_to) for policy in policies for rule in policy.egress)
