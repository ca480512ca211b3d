"""Questions about what local pods send, by their own ports and as themselves, but to Services."""

from collections.abc import Callable, Iterator, Sequence

from ovsnp.analysis.verification.questions.addresses import PeerClass
from ovsnp.analysis.verification.questions.clients import Clients, Leaving
from ovsnp.analysis.verification.questions.connected import (
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
from ovsnp.analysis.verification.questions.leaving import NO_CARRIER, leaving
from ovsnp.analysis.verification.questions.proof_context import ProofContext, named
from ovsnp.analysis.verification.questions.question import BridgeQuestion
from ovsnp.analysis.verification.questions.rows import Judge, sending
from ovsnp.analysis.verification.questions.states import ELEMENTS, NAMES, known
from ovsnp.analysis.verification.questions.verdicts import AllDropped, VerdictTable
from ovsnp.analysis.verification.simulator.space import bits, narrowed
from ovsnp.pipeline.registers import Origin


def from_pods(context: ProofContext) -> Iterator[BridgeQuestion]:
    """What local pods send, in every state of its connection."""
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
        # What a pod sends to itself never comes to the bridge as a connection of its own that policy may judge.
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
        # Where policy judges, what is for a cluster IP is given an endpoint first: that is asked about apart.
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
    """What is taken to go to an endpoint of a Service, in the states in which policy does not judge it."""
    who = Clients("pod", context.from_pods(sources), sources, {})
    leaving_ = Leaving(context, who, ends, ENDS, {})
    # What is taken to go to an endpoint has been translated, and is asked about apart where policy judges it.
    for piece, each in in_states(context, question, Origin.POD, to_others):
        if piece.carried and not piece.judged:
            yield from leaving_.by_way(each, carried=True)
    for piece, each in in_states(context, question, Origin.POD, verdicts):
        if piece.carried and not piece.judged:
            yield from leaving_.back_to_itself(each, bound=True)
