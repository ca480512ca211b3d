"""Questions about answers to connections whose source was made the gateway's address: they reach the pod again."""

from collections.abc import Iterator, Mapping

from ovsnp.model.address import family
from ovsnp.pipeline.conntrack import SNAT_ZONE
from ovsnp.pipeline.ports import ROUTER_MAC
from ovsnp.proof.questions.policy import by_tunnel
from ovsnp.proof.questions.question import ADMITTED_BIT, Question
from ovsnp.proof.questions.scene import DESTINATION, SOURCE, Scene, named
from ovsnp.proof.questions.states import BOUND_BIT, State
from ovsnp.proof.questions.verdicts import Row, Table
from ovsnp.proof.simulator.space import Space, Value
from ovsnp.proof.simulator.walk import Memory
from ovsnp.verify import PodEnd

_ANSWER = State(("est", "rpl"), admitted=True)


def masqueraded(scene: Scene) -> Iterator[Question]:
    """Answers by the tunnel, and those of a pod that reached itself through a Service."""
    if not scene.locals() or not _gateways(scene):
        return
    yield from _by_tunnel(scene)
    yield _hairpin(scene)


def _gateways(scene: Scene) -> list[int]:
    gateways = scene.expect.node.gateways if scene.expect.node else ()
    return [int.from_bytes(each, "big") for each in gateways if family(each) == scene.version]


def _by_tunnel(scene: Scene) -> Iterator[Question]:
    pods = scene.locals()
    for arrivals in by_tunnel(scene):
        if arrivals.origin == "carrier":
            continue
        remote = [index for index, far in enumerate(arrivals.sources) if far and isinstance(far.end, PodEnd)]
        if not remote:
            return
        elements = [arrivals.elements[index] for index in remote]
        undone = [{"undone": far.value} for far in pods]
        space = scene.space(elements, undone, scene.cells.elements, arrivals.tunnels)
        names = [[arrivals.names[index] for index in remote], [f"the gateway, for {named(far)}" for far in pods]]
        fields = {**scene.common(), **arrivals.fields, DESTINATION[scene.version]: _gateways(scene)[0]}
        ways = scene.ways(pods, "tunnel")
        leaves = {**scene.leaving_to(space, 1, ways), DESTINATION[scene.version]: space.fields()["undone"]}
        yield _answering(scene, space, names, fields, leaves)


def _hairpin(scene: Scene) -> Question:
    pods = scene.locals()
    elements = [
        {**element, "undone": far.value, "port": element["in_port"], "mac": element["dl_src"]}
        for element, far in zip(scene.from_pods(pods), pods, strict=True)
    ]
    space = scene.space(elements, [{}], scene.cells.elements)
    start = space.fields()
    fields = {**scene.common(), DESTINATION[scene.version]: _gateways(scene)[0]}
    leaves = {
        "port": start["port"],
        "dl_dst": start["mac"],
        "dl_src": ROUTER_MAC,
        DESTINATION[scene.version]: start["undone"],
        SOURCE[scene.version]: start[SOURCE[scene.version]],
    }
    return _answering(scene, space, [[f"{named(far)} to itself" for far in pods]], fields, leaves)


def _answering(
    scene: Scene, space: Space, names: list[list[str]], fields: Mapping[str, int], leaves: Mapping[str, Value]
) -> Question:
    undo = {DESTINATION[scene.version]: space.fields()["undone"]}
    memory = {
        SNAT_ZONE[scene.version]: Memory(_ANSWER.bits, 0, 0, undo),
        scene.zone: Memory(_ANSWER.bits, 0, ADMITTED_BIT | BOUND_BIT),
    }
    everything = space.everything
    verdicts = Table((0, 1, 2), [Row(everything[0], {scene.cells.all: everything[1]})])
    note = "an answer to the gateway's address"
    return Question("masquerade", space, names, fields, everything, verdicts, leaves, memory=memory, note=note)
