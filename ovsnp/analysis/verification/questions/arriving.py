"""Questions about packets that come in by the gateway or other nodes' tunnels, to local pods and to other ends."""

from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from ovsnp.analysis.verification.expectation.leaving import NO_CARRIER, leaving, leaving_to
from ovsnp.analysis.verification.expectation.next_hops import NextHop
from ovsnp.analysis.verification.expectation.proof_context import DESTINATION, ProofContext, named
from ovsnp.analysis.verification.expectation.verdict_rows import Judge, arriving, forwarding
from ovsnp.analysis.verification.expectation.verdicts import AllDropped, Cases, Verdicts, VerdictTable
from ovsnp.analysis.verification.packet_classes.addresses import PeerClass
from ovsnp.analysis.verification.packet_classes.connection_states import ELEMENTS, NAMES, State, known
from ovsnp.analysis.verification.questions.arrivals import Arrivals, remembered, strangers
from ovsnp.analysis.verification.questions.bridge_question import BridgeQuestion, QuestionKind
from ovsnp.analysis.verification.questions.by_state import (
    ENDS,
    SOURCES,
    TRAFFIC,
    apart,
    going_back,
    in_states,
    marks,
    returned,
    within,
)
from ovsnp.analysis.verification.simulator.packets import Memory
from ovsnp.analysis.verification.simulator.space import Element, Space, Value, bits, narrowed
from ovsnp.model.address import family
from ovsnp.pipeline.conntrack import SNAT_ZONE

_TO = "to"
_ANSWER = State(("est", "rpl"))


def to_locals(context: ProofContext, found: Arrivals) -> Iterator[BridgeQuestion]:
    """Packets to a local pod's address, and answers to the gateway's address where that replaced a pod's source."""
    ends = context.locals()
    if not ends:
        return
    question = _question(context, found, [{_TO: each.value} for each in ends], [named(each) for each in ends])
    space, name = question.space, DESTINATION[context.version]
    to = space.fields()[_TO]
    question.leaves = {**leaving_to(context, space, ENDS, context.ways(ends, found.origin)), name: to}
    direct = replace(question, fields={**question.fields, name: to}, memory={context.zone: known(space)})
    answers = [
        replace(
            question,
            kind="masquerade",
            fields={**question.fields, name: gateway},
            memory=answered_to_gateway(context, space, {name: to}),
            note="an answer to the gateway's address",
        )
        for gateway in gateways(context)
    ]
    yield from _judged(context, found, (direct, *answers), ends)


def answered_to_gateway(context: ProofContext, space: Space, undo: Mapping[str, Value]) -> Mapping[int, Memory]:
    """Conntrack's memory of answers to the gateway's address; ``undo``: fields that undoing the masquerade sets."""
    return {SNAT_ZONE[context.version]: Memory(_ANSWER.bits, undo=undo), context.zone: known(space)}


def gateways(context: ProofContext) -> list[int]:
    """The gateway's addresses of the family, as numbers."""
    found = context.expect.node.gateways if context.expect.node else ()
    return [int.from_bytes(each, "big") for each in found if family(each) == context.version]


def _question(context: ProofContext, found: Arrivals, to: list[Element], names: list[str]) -> BridgeQuestion:
    dimensions = [found.elements, to, context.cells.elements, ELEMENTS, marks(context).elements, *found.dimensions]
    space = context.space(*dimensions, fixed=found.fields, tunneled=bool(found.tunnels))
    # A node whose VNI says that there is a carrier sends one.
    unsent = [space.everything] if found.carried else []
    kind: QuestionKind = "carrier" if found.carried else "policy"
    note = "" if found.tunnels else f"by the {found.origin}"
    return BridgeQuestion(
        kind,
        space,
        [found.names, names, [], NAMES, marks(context).names, *found.tunnel_names],
        {**context.common(space), **found.fields},
        space.everything,
        AllDropped(),
        remembers=remembered(context, found, space),
        note=note,
        unsent=unsent,
    )


def _judged(
    context: ProofContext, found: Arrivals, questions: Sequence[BridgeQuestion], ends: Sequence[PeerClass]
) -> Iterator[BridgeQuestion]:
    """Questions of one space, in every state, with verdicts by the policies of the ends."""
    space, (dimension, sources) = questions[0].space, found.judged
    bad = strangers(found)
    ours = narrowed(space.everything, SOURCES, bad)
    theirs = narrowed(space.everything, SOURCES, space.everything[SOURCES] & ~bad)
    who = space.column(dimension, tuple(far.value if far else 0 for far in sources))
    to = space.column(ENDS, tuple(far.value for far in ends))
    both = [(ours, 0, to), (theirs, who, to)]

    def verdicts(judge: Judge, unsure: bool) -> Verdicts:
        rows = arriving(context, judge, sources, ends, unsure=unsure, via=bool(found.carried))
        return Cases((ours, AllDropped()), (theirs, VerdictTable((ENDS, dimension, TRAFFIC), rows)))

    kept: dict[object, Verdicts] = {}
    for question in questions:
        for _, each in in_states(context, replace(question, ends=both), found.port, verdicts, kept=kept):
            yield each


def to_others(context: ProofContext, found: Arrivals) -> Iterator[BridgeQuestion]:
    """Packets to other ends: from the gateway they may go on to other nodes; none go back where they came from."""
    local = {each.address for each in context.locals()}
    ends = [far for far in context.everyone if far.address not in local]
    question = _question(context, found, context.to(ends), [named(each) for each in ends])
    space, ways = question.space, context.ways(ends, found.origin)
    question.leaves = _leaving(context, found, question, ways)
    question.memory = {context.zone: known(space)}
    there = marks(context)
    back = returned(context, question, ends, there)
    for each in apart(question, back):
        for part in _sealed(context, found, each, ends):
            yield from _to_ends(context, found, part, ends, bits(ways))
    for each in within(going_back(context, question, there), back):
        for part in _sealed(context, found, each, ends):
            yield from _to_ends(context, found, part, ends, 0 if found.tunnels else space.everything[ENDS])


def _sealed(
    context: ProofContext, found: Arrivals, question: BridgeQuestion, ends: Sequence[PeerClass]
) -> Iterator[BridgeQuestion]:
    """The question in two parts: conntrack may remember a connection that ends only because it would go back."""
    everything = question.space.everything
    loose = narrowed(everything, ENDS, bits(context.ways(ends, "pod")))
    loose = narrowed(loose, SOURCES, everything[SOURCES] & ~strangers(found))
    if not all(loose):
        yield question
        return
    yield from apart(question, loose)
    yield from within(replace(question, sealed=False), loose)


def _leaving(
    context: ProofContext, found: Arrivals, question: BridgeQuestion, ways: Sequence[NextHop | None]
) -> dict[str, Value]:
    leaves = leaving(context, question.space, ENDS, ways)
    return leaves if found.tunnels else {**leaves, **NO_CARRIER}


def _to_ends(
    context: ProofContext, found: Arrivals, question: BridgeQuestion, ends: Sequence[PeerClass], reached: int
) -> Iterator[BridgeQuestion]:
    """The question in every state; ``reached`` are the ends to which packets may go, as bits."""
    everything = question.space.everything
    services = narrowed(everything, ENDS, bits(far.address in context.cluster_ips for far in ends))

    def verdicts(judge: Judge, unsure: bool) -> Verdicts:
        del unsure  # no policy of a local pod applies
        rows = forwarding(found.sources, judge(ends[0], ends[0], False), reached, everything[ENDS])
        return VerdictTable((SOURCES, ENDS, TRAFFIC), rows)

    for piece, each in in_states(context, question, found.port, verdicts):
        if piece.judged and not found.tunnels:
            # Where policy judges, packets to a cluster IP are given an endpoint first: `services` asks about these.
            yield from apart(each, narrowed(services, SOURCES, everything[SOURCES] & ~strangers(found)))
        else:
            yield from apart(each, services)
            yield from within(replace(each, kind="service"), services)
