"""Divides questions by the states of connections, and takes out packets that go back by a tunnel."""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from msgspec.structs import replace

from ovsnp.analysis.verification.expectation.leaving import leaving
from ovsnp.analysis.verification.expectation.next_hops import NextHop
from ovsnp.analysis.verification.expectation.proof_context import ProofContext
from ovsnp.analysis.verification.expectation.verdict_rows import Judge
from ovsnp.analysis.verification.expectation.verdicts import AllDropped, Verdicts
from ovsnp.analysis.verification.packet_classes.addresses import PeerClass
from ovsnp.analysis.verification.packet_classes.connection_states import (
    ADMITTED_BIT,
    ANSWERED_BIT,
    MARK,
    Piece,
    Treatment,
    chosen,
    pieces,
)
from ovsnp.analysis.verification.questions.bridge_question import BridgeQuestion, Remembered
from ovsnp.analysis.verification.simulator.space import Element, Sets, Space, Value, bits, meet, narrowed, without
from ovsnp.pipeline.numbers import number
from ovsnp.pipeline.ports import ROUTER_MAC
from ovsnp.pipeline.registers import CARRIED_LABEL, ORIGIN_LABEL, Origin

SOURCES, ENDS, TRAFFIC, CONNECTIONS, MARKS = range(5)
"""The first dimensions of questions about connections: source, destination, traffic, state and mark."""

_ALIKE = (TRAFFIC, CONNECTIONS)
_OF_ANSWERS = ("returning", "masquerade")


class Marks(NamedTuple):
    """The marks of connections: elements, names, and next hops to the nodes by whose tunnels the connections came."""

    elements: list[Element]
    names: list[str]
    ways: list[NextHop | None]


@lru_cache(maxsize=2)
def marks(context: ProofContext) -> Marks:
    """The marks that flows and nodes tell apart."""
    numbers = number(context.expect.oracle.cluster.nodes)
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
    kept: dict[object, Verdicts] | None = None,
) -> Iterator[tuple[Piece, BridgeQuestion]]:
    """The question in parts, each about states and traffic with one treatment.

    ``verdicts`` makes the verdicts of a judge. Its second argument is true where the judge is policy: then nobody knows
    the verdict about vacant addresses. ``kept`` shares verdicts between questions.
    """
    kept = {} if kept is None else kept
    for piece in pieces(context.cells, question.sets[CONNECTIONS], origin):
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
    """What conntrack must remember of a connection that is opened by a kind of port, without a carrier."""
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
    """The question about a part of its packets; none if it has none of them."""
    if sets := meet(question.sets, part):
        yield replace(question, sets=sets)


def returned(context: ProofContext, question: BridgeQuestion, ends: Sequence[PeerClass], found: Marks) -> Sets:
    """The packets that go back by the tunnel that their connection came by: replies to outside."""
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
    """The question about packets that go back by the tunnel of their connection."""
    leaves = {**(question.leaves or {}), **leaving(context, question.space, MARKS, found.ways)}
    return replace(question, kind="returning", leaves=leaves)
