"""Questions about a pod that reached itself through a Service: its answer to the gateway comes back to it."""

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from ovsnp.analysis.verification.expectation.proof_context import DESTINATION, SOURCE, TTL, ProofContext, named
from ovsnp.analysis.verification.expectation.verdict_rows import Judge
from ovsnp.analysis.verification.expectation.verdicts import AllDropped, Row, VerdictTable
from ovsnp.analysis.verification.packet_classes.addresses import PeerClass
from ovsnp.analysis.verification.packet_classes.connection_states import ELEMENTS, NAMES
from ovsnp.analysis.verification.questions.arriving import answered_to_gateway, gateways
from ovsnp.analysis.verification.questions.bridge_question import BridgeQuestion
from ovsnp.analysis.verification.questions.by_state import in_states, marks
from ovsnp.pipeline.ports import ROUTER_MAC
from ovsnp.pipeline.registers import Origin


def answered_by_itself(context: ProofContext) -> Iterator[BridgeQuestion]:
    """Packets of a pod to the gateway's address that answer its own connection."""
    pods, there = context.locals(), gateways(context)
    if not pods or not there:
        return
    question = _answer(context, pods, there)
    space = question.space

    def verdicts(judge: Judge, unsure: bool) -> VerdictTable:
        del unsure  # no policy applies
        allowed = judge(pods[0], pods[0], False)
        everyone = space.everything[1]
        return VerdictTable((0, 1, 2), [Row(space.everything[0], {allowed: everyone} if allowed else {0: everyone})])

    for piece, each in in_states(context, question, Origin.POD, verdicts):
        if piece.judged:
            continue
        if piece.carried:
            # The direction of an invalid packet is not known, so it leaves as the pod's first packet did.
            yield replace(each, leaves={**(question.leaves or {}), SOURCE[context.version]: there[0]})
        else:
            yield each


def _answer(context: ProofContext, pods: Sequence[PeerClass], there: Sequence[int]) -> BridgeQuestion:
    """The question about all states of connections, before they divide it."""
    own = [
        {**element, "undone": far.value, "port": element["in_port"], "mac": element["dl_src"]}
        for element, far in zip(context.from_pods(pods), pods, strict=True)
    ]
    to = [{DESTINATION[context.version]: each} for each in there]
    space = context.space(own, to, context.cells.elements, ELEMENTS, marks(context).elements)
    start = space.fields()
    undo = {DESTINATION[context.version]: start["undone"]}
    return BridgeQuestion(
        "masquerade",
        space,
        [[f"{named(far)} to itself" for far in pods], [], [], NAMES],
        context.common(space),
        space.everything,
        AllDropped(),
        {
            "port": start["port"],
            "dl_dst": start["mac"],
            "dl_src": ROUTER_MAC,
            "nw_ttl": TTL - 1,
            SOURCE[context.version]: start[SOURCE[context.version]],
            **undo,
        },
        memory=answered_to_gateway(context, space, undo),
        note="an answer to the gateway's address",
    )
