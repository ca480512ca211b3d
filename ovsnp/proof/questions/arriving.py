"""Questions about what comes in by the gateway and by other nodes' tunnels: for local pods, and for others."""

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from ovsnp.model.address import family
from ovsnp.pipeline.conntrack import SNAT_ZONE
from ovsnp.proof.questions.addresses import Far
from ovsnp.proof.questions.arrivals import VNIS, Arrivals, parts, remembered, without_carrier
from ovsnp.proof.questions.connected import (
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
from ovsnp.proof.questions.leaving import leaving, leaving_to
from ovsnp.proof.questions.question import Question
from ovsnp.proof.questions.rows import Judge, arriving, forwarding
from ovsnp.proof.questions.scene import DESTINATION, Scene, named
from ovsnp.proof.questions.states import ELEMENTS, NAMES, State, known
from ovsnp.proof.questions.verdicts import AllDropped, Cases, Row, Table, Verdicts
from ovsnp.proof.simulator.space import Element, bits, narrowed
from ovsnp.proof.simulator.walk import Memory

_UNDONE = "undone"
_ANSWER = State(("est", "rpl"))


def to_locals(scene: Scene, arrivals: Arrivals) -> Iterator[Question]:
    """What comes in for local pods."""
    ends = scene.locals()
    if ends:
        question = _question(scene, arrivals, scene.to(ends), [named(each) for each in ends])
        ways = scene.ways(ends, arrivals.origin)
        question.leaves = leaving(scene, question.space, ENDS, ways)
        question.memory = {scene.zone: known(question.space)}
        yield from _judged(scene, arrivals, question, ends)


def undone(scene: Scene, arrivals: Arrivals) -> Iterator[Question]:
    """What comes in for the gateway's address, and is an answer to what a local pod sent with it as its source."""
    ends = [far for far in scene.locals() for _ in gateways(scene)]
    if not ends:
        return
    to = [{DESTINATION[scene.version]: each, _UNDONE: far.value} for far in scene.locals() for each in gateways(scene)]
    question = _question(scene, arrivals, to, [f"the gateway, for {named(each)}" for each in ends])
    space, name = question.space, DESTINATION[scene.version]
    undo = {name: space.fields()[_UNDONE]}
    question.kind, question.note = "masquerade", "an answer to the gateway's address"
    question.leaves = {**leaving_to(scene, space, ENDS, scene.ways(ends, arrivals.origin)), **undo}
    question.memory = {SNAT_ZONE[scene.version]: Memory(_ANSWER.bits, undo=undo), scene.zone: known(space)}
    yield from _judged(scene, arrivals, question, ends)


def gateways(scene: Scene) -> list[int]:
    """The gateway's addresses."""
    found = scene.expect.node.gateways if scene.expect.node else ()
    return [int.from_bytes(each, "big") for each in found if family(each) == scene.version]


def _question(scene: Scene, arrivals: Arrivals, to: list[Element], names: list[str]) -> Question:
    dimensions = [arrivals.elements, to, scene.cells.elements, ELEMENTS, marks(scene).elements, *arrivals.others]
    space = scene.space(*dimensions, fixed=arrivals.fields, tunneled=arrivals.origin == "tunnel")
    return Question(
        "policy",
        space,
        [arrivals.names, names, [], NAMES, marks(scene).names, *arrivals.other_names],
        {**scene.common(space), **arrivals.fields},
        space.everything,
        AllDropped(),
        remembers=remembered(scene, arrivals, space),
    )


def _judged(scene: Scene, arrivals: Arrivals, question: Question, ends: Sequence[Far]) -> Iterator[Question]:
    """The question in every state, with the policies of the ends for each part of what comes in."""
    space, found = question.space, list(parts(scene, arrivals, question.space))
    to = space.column(ENDS, tuple(far.value for far in ends))
    question.ends = [
        (part.sets, space.column(part.dimension, tuple(far.value if far else 0 for far in part.sources)), to)
        for part in found
    ]

    def verdicts(judge: Judge, unsure: bool) -> Verdicts:
        kept = {
            (part.dimension, id(part.sources)): Table(
                (ENDS, part.dimension, TRAFFIC),
                arriving(scene, judge, part.sources, ends, unsure=unsure, via=part.via),
            )
            for part in found
        }
        return Cases(*((part.sets, kept[part.dimension, id(part.sources)]) for part in found))

    for each in _by_carrier(arrivals, question):
        for _, one in in_states(scene, each, arrivals.kind, verdicts):
            yield one


def _by_carrier(arrivals: Arrivals, question: Question) -> Iterator[Question]:
    """What has no carrier, and what has one or says so."""
    if arrivals.origin == "gateway":
        yield replace(question, note=question.note or "by the gateway")
        return
    everything = question.space.everything
    plain = narrowed(everything, VNIS, without_carrier(question.space))
    for each in within(question, plain):
        yield replace(each, note=question.note or "by the tunnel")
    for each in apart(question, plain):
        # A node whose VNI says that there is a carrier sends one.
        yield replace(each, kind="carrier", unsent=[everything])


def to_others(scene: Scene, arrivals: Arrivals) -> Iterator[Question]:
    """What comes in for others: from the gateway it may go to other nodes, but nothing goes back where it came from."""
    local = {each.address for each in scene.locals()}
    ends = [far for far in scene.everyone() if far.address not in local]
    question = _question(scene, arrivals, scene.to(ends), [named(each) for each in ends])
    space, ways = question.space, scene.ways(ends, arrivals.origin)
    question.leaves = leaving(scene, space, ENDS, ways)
    question.memory = {scene.zone: known(space)}
    found = marks(scene)
    back = returned(scene, question, ends, found)
    everyone = space.everything[ENDS]
    for each in _by_carrier(arrivals, question):
        for part in apart(each, back):
            yield from _to_ends(scene, arrivals, part, ends, bits(ways))
        for part in within(going_back(scene, each, found), back):
            yield from _to_ends(scene, arrivals, part, ends, everyone if arrivals.origin == "gateway" else 0)


def _to_ends(
    scene: Scene,
    arrivals: Arrivals,
    question: Question,
    ends: Sequence[Far],
    reached: int,
) -> Iterator[Question]:
    """The question in every state; ``reached`` are the ends to which packets may go."""
    found = list(parts(scene, arrivals, question.space))
    everyone = question.space.everything[ENDS]
    services = narrowed(question.space.everything, ENDS, bits(far.address in scene.cluster_ips for far in ends))

    def verdicts(judge: Judge, unsure: bool) -> Verdicts:
        del unsure  # no policy of a local pod has a say
        allowed = judge(ends[0], ends[0], False)
        return Cases(
            *(
                (part.sets, Table((part.dimension, ENDS, TRAFFIC), forwarding(part.sources, allowed, reached, everyone)))
                for part in found
            )
        )

    for piece, each in in_states(scene, question, arrivals.kind, verdicts):
        # A connection that ends here because it would go back may be remembered.
        each.sealed = False
        if arrivals.origin == "gateway" and piece.judged:
            # Where policy judges, what is for a cluster IP is given an endpoint first: that is asked about apart.
            asked = narrowed(services, SOURCES, bits(arrivals.sources))
            yield from apart(each, asked)
        else:
            yield from apart(each, services)
            yield from within(replace(each, kind="service"), services)
