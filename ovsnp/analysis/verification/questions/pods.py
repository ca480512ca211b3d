"""Questions about packets that local pods send by their own ports, with their own addresses, except to Services."""

from collections.abc import Callable, Iterator, Sequence

from ovsnp.analysis.verification.expectation.leaving import NO_CARRIER, leaving
from ovsnp.analysis.verification.expectation.proof_context import ProofContext, named
from ovsnp.analysis.verification.expectation.verdict_rows import Judge, sending
from ovsnp.analysis.verification.expectation.verdicts import AllDropped, VerdictTable
from ovsnp.analysis.verification.packet_classes.addresses import PeerClass
from ovsnp.analysis.verification.packet_classes.connection_states import ELEMENTS, NAMES, known
from ovsnp.analysis.verification.questions.bridge_question import BridgeQuestion
from ovsnp.analysis.verification.questions.by_state import (
    ENDS,
    SOURCES,
    TRAFFIC,
    apart,
    going_back,
    in_states,
    marks,
    opened,
    returned,
    within,
)
from ovsnp.analysis.verification.questions.services.clients import Clients, Leaving
from ovsnp.analysis.verification.simulator.space import bits, narrowed
from ovsnp.pipeline.registers import Origin


def from_pods(context: ProofContext) -> Iterator[BridgeQuestion]:
    """The questions, in every state of the connections."""
    sources, ends = context.locals(), context.everyone
    if not sources:
        return
    ways, found = context.ways(ends, "pod"), marks(context)
    space = context.space(
        context.from_pods(sources), context.to(ends), context.cells.elements, ELEMENTS, found.elements
    )
    question = BridgeQuestion(
        "policy",
        space,
        [[named(each) for each in sources], [named(each) for each in ends], [], NAMES, found.names],
        context.common(space),
        space.everything,
        AllDropped(),
        {**leaving(context, space, ENDS, ways), **NO_CARRIER},
        opened(context, space, Origin.POD),
        memory={context.zone: known(space)},
        ends=[(space.everything, *context.ends(space))],
    )

    def verdicts(judge: Judge, unsure: bool) -> VerdictTable:
        # A pod's connection to its own address never comes to the bridge: where policy judges, both verdicts are right.
        rows = sending(context, judge, sources, ends, ways, unsure=unsure, selfless=unsure)
        return VerdictTable((SOURCES, ENDS, TRAFFIC), rows)

    def to_others(judge: Judge, unsure: bool) -> VerdictTable:
        rows = sending(context, judge, sources, ends, ways, unsure=unsure, selfless=True)
        return VerdictTable((SOURCES, ENDS, TRAFFIC), rows)

    apart_from_services = narrowed(space.everything, ENDS, bits(far.address not in context.cluster_ips for far in ends))
    back = returned(context, question, ends, found)
    for piece, each in in_states(context, question, Origin.POD, verdicts):
        if piece.carried:
            continue
        # Where policy judges, packets to a cluster IP are given an endpoint first: `services` asks about these.
        for part in within(each, apart_from_services) if piece.judged else (each,):
            yield from apart(part, back)
            yield from within(going_back(context, part, found), back)
    yield from _to_endpoints(context, question, sources, ends, verdicts, to_others)


def _to_endpoints(
    context: ProofContext,
    question: BridgeQuestion,
    sources: Sequence[PeerClass],
    ends: Sequence[PeerClass],
    verdicts: Callable[[Judge, bool], VerdictTable],
    to_others: Callable[[Judge, bool], VerdictTable],
) -> Iterator[BridgeQuestion]:
    """Packets that count as packets to a Service's endpoint, in the states in which policy does not judge them."""
    who = Clients("pod", context.from_pods(sources), sources, {})
    leaving_ = Leaving(context, who, ends, ENDS, {})
    # Packets to an endpoint have been translated; where policy judges them, `bound` asks about them.
    for piece, each in in_states(context, question, Origin.POD, to_others):
        if piece.carried and not piece.judged:
            yield from leaving_.by_way(each, carried=True)
    for piece, each in in_states(context, question, Origin.POD, verdicts):
        if piece.carried and not piece.judged:
            yield from leaving_.back_to_itself(each, bound=True)
