"""Questions about a pod that reached itself through a Service: it answers the gateway, and gets the answer."""

from collections.abc import Iterator

from msgspec.structs import replace

from ovsnp.analysis.verification.questions.arriving import answered_to_gateway, gateways
from ovsnp.analysis.verification.questions.connected import in_states, marks
from ovsnp.analysis.verification.questions.question import Question
from ovsnp.analysis.verification.questions.rows import Judge
from ovsnp.analysis.verification.questions.scene import DESTINATION, SOURCE, TTL, Scene, named
from ovsnp.analysis.verification.questions.states import ELEMENTS, NAMES
from ovsnp.analysis.verification.questions.verdicts import AllDropped, Row, Table
from ovsnp.pipeline.ports import ROUTER_MAC
from ovsnp.pipeline.registers import Origin


def answered_by_itself(scene: Scene) -> Iterator[Question]:
    """What a pod sends to the gateway's address, and is an answer to its own connection."""
    pods, there = scene.locals(), gateways(scene)
    if not pods or not there:
        return
    own = [
        {**element, "undone": far.value, "port": element["in_port"], "mac": element["dl_src"]}
        for element, far in zip(scene.from_pods(pods), pods, strict=True)
    ]
    to = [{DESTINATION[scene.version]: each} for each in there]
    space = scene.space(own, to, scene.cells.elements, ELEMENTS, marks(scene).elements)
    start = space.fields()
    undo = {DESTINATION[scene.version]: start["undone"]}
    question = Question(
        "masquerade",
        space,
        [[f"{named(far)} to itself" for far in pods], [], [], NAMES],
        scene.common(space),
        space.everything,
        AllDropped(),
        {
            "port": start["port"],
            "dl_dst": start["mac"],
            "dl_src": ROUTER_MAC,
            "nw_ttl": TTL - 1,
            SOURCE[scene.version]: start[SOURCE[scene.version]],
            **undo,
        },
        memory=answered_to_gateway(scene, space, undo),
        note="an answer to the gateway's address",
    )

    def verdicts(judge: Judge, unsure: bool) -> Table:
        del unsure  # policy has no say
        allowed = judge(pods[0], pods[0], False)
        everyone = space.everything[1]
        return Table((0, 1, 2), [Row(space.everything[0], {allowed: everyone} if allowed else {0: everyone})])

    for piece, each in in_states(scene, question, Origin.POD, verdicts):
        if piece.judged:
            continue
        if piece.carried:
            # Of what is out of the window the direction is not known, so it leaves as what the pod sent first.
            yield replace(each, leaves={**(question.leaves or {}), SOURCE[scene.version]: there[0]})
        else:
            yield each
