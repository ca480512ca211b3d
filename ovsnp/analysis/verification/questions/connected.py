"""Questions about packets in every state that their connections may have, and about those that go back by a tunnel."""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from msgspec.structs import replace

from ovsnp.analysis.verification.questions.addresses import Far
from ovsnp.analysis.verification.questions.leaving import leaving
from ovsnp.analysis.verification.questions.question import Question, Remembered
from ovsnp.analysis.verification.questions.rows import Judge
from ovsnp.analysis.verification.questions.scene import Scene
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
from ovsnp.analysis.verification.questions.ways import Way
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
    ways: list[Way | None]


@lru_cache(maxsize=2)
def marks(scene: Scene) -> Marks:
    """The marks that flows and nodes tell apart."""
    numbers = number(scene.expect.prepared.cluster.nodes)
    nodes = {numbers[node.name]: node for node in scene.expect.others if node.tunnel_address}
    found = scene.values("ct_mark", {0, *nodes})
    return Marks(
        [{MARK: each} for each in found],
        [f"opened by the tunnel of node/{nodes[each].name}" if each in nodes else "" for each in found],
        [scene.expect.through(nodes[each], ROUTER_MAC) if each in nodes else None for each in found],
    )


def in_states(
    scene: Scene,
    question: Question,
    origin: Origin,
    verdicts: Callable[[Judge, bool], Verdicts],
    *,
    undone: bool = False,
    kept: dict[object, Verdicts] | None = None,
) -> Iterator[tuple[Piece, Question]]:
    """The question in parts, for states and traffic that are treated alike.

    ``verdicts`` are those of a judge: also whether policy is it, of whom nobody knows what it says of vacant addresses.
    ``undone``: conntrack has given the packets another source. ``kept`` are the verdicts for several questions.
    """
    kept = {} if kept is None else kept
    for piece in pieces(scene.cells, question.sets[CONNECTIONS], origin, undone=undone):
        traffic = piece.traffic & question.sets[TRAFFIC]
        if not traffic:
            continue
        key = piece.judged or (piece.passes and "open")
        if key not in kept:
            kept[key] = verdicts(_judge(scene, piece), piece.judged) if key else AllDropped()
        sets = narrowed(narrowed(question.sets, CONNECTIONS, piece.states), TRAFFIC, traffic)
        kind = question.kind if piece.judged or question.kind in _OF_ANSWERS else "connection state"
        answered = Remembered(scene.zone, [(ANSWERED_BIT, sets, ANSWERED_BIT)])
        by_treatment = {Treatment.JUDGED: question.remembers, Treatment.ANSWER: answered}
        remembers = by_treatment.get(piece.treatment)
        yield piece, replace(question, kind=kind, sets=sets, verdicts=kept[key], remembers=remembers, alike=_ALIKE)


ORIGIN_BITS, CARRIED_BITS = (each.full_mask << each.lsb for each in (ORIGIN_LABEL, CARRIED_LABEL))


def opened(scene: Scene, space: Space, origin: Origin, mark: Value = 0) -> Remembered:
    """What is remembered of a connection that was opened by a kind of port, and has no carrier."""
    every = space.everything
    label = [
        (ADMITTED_BIT, every, ADMITTED_BIT),
        (ORIGIN_BITS, every, origin << ORIGIN_LABEL.lsb),
        (CARRIED_BITS, every, 0),
    ]
    return Remembered(scene.zone, label, mark)


def _judge(scene: Scene, piece: Piece) -> Judge:
    expect = scene.expect
    if piece.judged:
        return expect.allowed
    return lambda source, destination, via: expect.cells.all & ~expect.tunneled(source, destination)


def apart(question: Question, part: Sets) -> Iterator[Question]:
    """The question without a part of its packets."""
    for sets in without([question.sets], [part]):
        yield replace(question, sets=sets)


def within(question: Question, part: Sets) -> Iterator[Question]:
    """The question about a part of its packets, where it has any of them."""
    if sets := meet(question.sets, part):
        yield replace(question, sets=sets)


def returned(scene: Scene, question: Question, ends: Sequence[Far], found: Marks) -> Sets:
    """The packets that go back by the tunnel through which their connection came: replies to outside."""
    rest = [
        far.address not in (scene.expect.node.gateways if scene.expect.node else ()) and way == scene.expect.gateway
        for far, way in zip(ends, scene.ways(ends, "pod"), strict=True)
    ]
    everything = question.space.everything
    sets = narrowed(everything, ENDS, bits(rest))
    sets = narrowed(sets, CONNECTIONS, chosen(lambda state: state.replies))
    return narrowed(sets, MARKS, bits(found.ways))


def going_back(scene: Scene, question: Question, found: Marks) -> Question:
    """The question about these."""
    leaves = {**(question.leaves or {}), **leaving(scene, question.space, MARKS, found.ways)}
    return replace(question, kind="returning", leaves=leaves)
