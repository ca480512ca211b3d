"""Questions about packets in every state that their connections may have, and about those that go back by a tunnel."""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from msgspec.structs import replace

from ovsnp.analysis.verification.questions.addresses import PeerClass
from ovsnp.analysis.verification.questions.leaving import leaving
from ovsnp.analysis.verification.questions.next_hops import NextHop
from ovsnp.analysis.verification.questions.proof_context import ProofContext
from ovsnp.analysis.verification.questions.question import BridgeQuestion, Remembered
from ovsnp.analysis.verification.questions.rows import Judge
from ovsnp.analysis.verification.questions.states import (
    ADMITTED_BIT,
    ANSWERED_BIT,
    MARK,
    Piece,
    Treatment,
    chosen,
    pieces,
)
from ovsnp.analysis.verification.questions.verdicts import AllDropped, Verdicts
from ovsnp.analysis.verification.simulator.space import Element, Sets, Space, Value, bits, meet, narrowed, without
from ovsnp.pipeline.numbers import number
from ovsnp.pipeline.ports import ROUTER_MAC
from ovsnp.pipeline.registers import CARRIED_LABEL, ORIGIN_LABEL, Origin

SOURCES, ENDS, TRAFFIC, CONNECTIONS, MARKS = range(5)
"""The first dimensions of these questions: who sends, to whom, what, in which state, and with which mark."""

_ALIKE = (TRAFFIC, CONNECTIONS)
_OF_ANSWERS = ("returning", "masquerade")


class Marks(NamedTuple):
    """The marks that connections may have: each with its name, and the way to the node through whose tunnel it came."""

    elements: list[Element]
    names: list[str]
    ways: list[NextHop | None]


@lru_cache(maxsize=2)
def marks(context: ProofContext) -> Marks:
    """The marks that flows and nodes tell apart."""
    numbers = number(context.expect.prepared.cluster.nodes)
    nodes = {numbers[node.name]: node for node in context.expect.others if node.tunnel_address}
    found = context.values("ct_mark", {0, *nodes})
    return Marks(
        [{MARK: each} for each in found],
        [f"opened by the tunnel of node/{nodes[each].name}" if each in nodes else "" for each in found],
        [context.expect.through(nodes[each], ROUTER_MAC) if each in nodes else None for each in found],
    )


def in_states(
    context: ProofContext,
    question: BridgeQuestion,
    origin: Origin,
    verdicts: Callable[[Judge, bool], Verdicts],
    *,
    undone: bool = False,
    kept: dict[object, Verdicts] | None = None,
) -> Iterator[tuple[Piece, BridgeQuestion]]:
    """The question in parts, for states and traffic that are treated alike.

    ``verdicts`` are those of a judge: also whether policy is it, of whom nobody knows what it says of vacant addresses.
    ``undone``: conntrack has given the packets another source. ``kept`` are the verdicts for several questions.
    """
    kept = {} if kept is None else kept
    for piece in pieces(context.cells, question.sets[CONNECTIONS], origin, undone=undone):
        traffic = piece.traffic & question.sets[TRAFFIC]
        if not traffic:
            continue
        key = piece.judged or (piece.passes and "open")
        if key not in kept:
            kept[key] = verdicts(_judge(context, piece), piece.judged) if key else AllDropped()
        sets = narrowed(narrowed(question.sets, CONNECTIONS, piece.states), TRAFFIC, traffic)
        kind = question.kind if piece.judged or question.kind in _OF_ANSWERS else "connection state"
        answered = Remembered(context.zone, [(ANSWERED_BIT, sets, ANSWERED_BIT)])
        by_treatment = {Treatment.JUDGED: question.remembers, Treatment.ANSWER: answered}
        remembers = by_treatment.get(piece.treatment)
        yield piece, replace(question, kind=kind, sets=sets, verdicts=kept[key], remembers=remembers, alike=_ALIKE)


ORIGIN_BITS, CARRIED_BITS = (each.full_mask << each.lsb for each in (ORIGIN_LABEL, CARRIED_LABEL))


def opened(context: ProofContext, space: Space, origin: Origin, mark: Value = 0) -> Remembered:
    """What is remembered of a connection that was opened by a kind of port, and has no carrier."""
    every = space.everything
    label = [
        (ADMITTED_BIT, every, ADMITTED_BIT),
        (ORIGIN_BITS, every, origin << ORIGIN_LABEL.lsb),
        (CARRIED_BITS, every, 0),
    ]
    return Remembered(context.zone, label, mark)


def _judge(context: ProofContext, piece: Piece) -> Judge:
    expect = context.expect
    if piece.judged:
        return expect.allowed
    return lambda source, destination, via: expect.cells.all & ~expect.tunneled(source, destination)


def apart(question: BridgeQuestion, part: Sets) -> Iterator[BridgeQuestion]:
    """The question without a part of its packets."""
    for sets in without([question.sets], [part]):
        yield replace(question, sets=sets)


def within(question: BridgeQuestion, part: Sets) -> Iterator[BridgeQuestion]:
    """The question about a part of its packets, where it has any of them."""
    if sets := meet(question.sets, part):
        yield replace(question, sets=sets)


def returned(context: ProofContext, question: BridgeQuestion, ends: Sequence[PeerClass], found: Marks) -> Sets:
    """The packets that go back by the tunnel through which their connection came: replies to outside."""
    rest = [
        far.address not in (context.expect.node.gateways if context.expect.node else ())
        and way == context.expect.gateway
        for far, way in zip(ends, context.ways(ends, "pod"), strict=True)
    ]
    everything = question.space.everything
    sets = narrowed(everything, ENDS, bits(rest))
    sets = narrowed(sets, CONNECTIONS, chosen(lambda state: state.replies))
    return narrowed(sets, MARKS, bits(found.ways))


def going_back(context: ProofContext, question: BridgeQuestion, found: Marks) -> BridgeQuestion:
    """The question about these."""
    leaves = {**(question.leaves or {}), **leaving(context, question.space, MARKS, found.ways)}
    return replace(question, kind="returning", leaves=leaves)
