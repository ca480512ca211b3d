"""Questions about connections that are opened: from local pods, by the gateway, by the tunnel, with a carrier."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from ovsnp.model.address import Address, Prefix, host_prefix
from ovsnp.model.cluster import Node
from ovsnp.model.options import Encap
from ovsnp.pipeline.carrier import MARKED, NO_CARRIER, offset_bits
from ovsnp.pipeline.numbers import number
from ovsnp.pipeline.ports import ROUTER_MAC
from ovsnp.proof.questions.addresses import Far
from ovsnp.proof.questions.question import Question
from ovsnp.proof.questions.scene import SOURCE, Scene, named, tunnel_field
from ovsnp.proof.questions.states import ADMITTED_BIT, OPENED, STATES, State
from ovsnp.proof.questions.verdicts import AllDropped, Row, Table
from ovsnp.proof.simulator.space import Element, Space, Value
from ovsnp.proof.simulator.walk import Memory
from ovsnp.verify import NodeEnd, PodEnd

NOBODYS_TUNNEL = (203 << 24) + (113 << 8) + 254
"""203.0.113.254, of TEST-NET-3 (RFC 5737)."""


class Arrivals(msgspec.Struct):
    """Packets that come in by gateway or tunnel: their fields, and who policy judges (None: they are dropped)."""

    origin: str
    elements: list[Element]
    sources: list[Far | None]
    names: list[str]
    via: list[bool]
    fields: Mapping[str, int]
    tunnels: Sequence[Element] = ({},)


def connections(scene: Scene) -> Iterator[Question]:
    """Every connection that is not a Service's, in every state."""
    yield from from_pods(scene)
    for arrivals in (by_gateway(scene), *by_tunnel(scene)):
        yield from to_locals(scene, arrivals)
        yield from to_others(scene, arrivals)
    yield from unknown_tunnels(scene)


def from_pods(scene: Scene) -> Iterator[Question]:
    """What local pods send, by their own ports and as themselves."""
    sources, ends = scene.locals(), scene.far
    if not sources:
        return
    space = scene.space(scene.from_pods(sources), scene.to(ends), scene.cells.elements)
    ways = scene.ways(ends, "pod")
    names = [[named(each) for each in sources], [named(each) for each in ends]]
    leaves = {**scene.leaving(space, 1, ways), **scene.no_carrier()}
    both = scene.ends(space)
    for state in STATES:
        verdicts = Table((0, 1, 2), scene.rows(state.judge(scene), sources, ends, ways))
        question = Question("policy", space, names, scene.common(), space.everything, verdicts, leaves, ends=both)
        yield _in_state(question, scene, state)
    yield from _returning(scene)


def _in_state(question: Question, scene: Scene, state: State) -> Question:
    return replace(
        question,
        kind=question.kind if state.opens else "connection state",
        memory=state.memory(scene),
        zone=scene.zone if state.opens else None,
        note=", ".join(part for part in (question.note, str(state)) if part),
    )


def _returning(scene: Scene) -> Iterator[Question]:
    """What answers a connection that came from outside by another node's tunnel goes back by that tunnel."""
    sources, nodes = scene.locals(), [node for node in scene.expect.others if node.tunnel_address]
    ways = zip(scene.far, scene.ways(scene.far, "pod"), strict=True)
    ends = [far for far, way in ways if way == scene.expect.gateway and not isinstance(far.end, NodeEnd)]
    if not nodes or not ends:
        return
    cells = scene.cells.elements
    everyone: list[Element] = [{} for _ in nodes]
    space = scene.space(scene.from_pods(sources), scene.to(ends), cells, everyone)
    numbers = number(scene.expect.prepared.cluster.nodes)
    mark = space.column(3, tuple(numbers[node.name] for node in nodes))
    tunnels = [scene.expect.through(node, ROUTER_MAC) for node in nodes]
    state = State(("est", "rpl"), admitted=True)
    everything = space.everything
    yield Question(
        "returning",
        space,
        [
            [named(each) for each in sources],
            [named(each) for each in ends],
            [],
            [f"node/{node.name}" for node in nodes],
        ],
        scene.common(),
        everything,
        Table((0, 1, 2), [Row(everything[0], {scene.cells.all: everything[1]})]),
        {**scene.leaving(space, 3, tunnels), **scene.no_carrier()},
        memory={scene.zone: Memory(state.bits, mark, ADMITTED_BIT)},
        note="an answer to what came by this node's tunnel",
    )


def by_gateway(scene: Scene) -> Arrivals:
    """What the node's host sends, and what comes from outside: nothing in the name of a pod."""
    own = scene.expect.node.gateways if scene.expect.node else ()
    sources = [None if scene.in_pods(each.address) and each.address not in own else each for each in scene.far]
    port = scene.expect.ports.gateway
    return Arrivals(
        "gateway",
        [{SOURCE[scene.version]: each.value} for each in scene.far],
        sources,
        [named(each) for each in scene.far],
        [False] * len(sources),
        {"in_port": port.ofport, "dl_src": port.mac},
    )


def by_tunnel(scene: Scene) -> Iterator[Arrivals]:
    """What other nodes send: nothing in the name of this node or its pods."""
    nodes = [node for node in scene.expect.others if node.tunnel_address]
    if not nodes:
        return
    fields = {"in_port": scene.expect.ports.tunnel, "dl_src": ROUTER_MAC}
    yield Arrivals(
        "tunnel",
        [{SOURCE[scene.version]: each.value} for each in scene.far],
        [None if scene.ours(each.address) else each for each in scene.far],
        [named(each) for each in scene.far],
        [False] * len(scene.far),
        fields,
        [tunnel_field(node) for node in nodes],
    )
    carried = list(_carried(scene, nodes))
    if carried:
        yield Arrivals(
            "carrier",
            [element for element, _, _, _ in carried],
            [source for _, source, _, _ in carried],
            [name for _, _, name, _ in carried],
            [via for _, _, _, via in carried],
            fields,
        )


def _carried(scene: Scene, nodes: Sequence[Node]) -> Iterator[tuple[Element, Far | None, str, bool]]:
    """Packets with a carrier: of a pod of the sender, and of others, which nobody sends."""
    plain = {each.address: each for each in scene.far}
    for far in (each for each in scene.far if not isinstance(each.end, NodeEnd)):
        senders = [node for node in nodes if _cidr(node, far.address)]
        strangers = [node for node in nodes if node not in senders][:2]
        for node in (*senders, *strangers):
            for hidden in {_gateway(node, scene.version), far.address if senders else None} - {None}:
                assert hidden is not None
                if hidden in plain:
                    yield from _with_carrier(scene, node, plain[hidden], far)


def _with_carrier(scene: Scene, node: Node, hidden: Far, far: Far) -> Iterator[tuple[Element, Far | None, str, bool]]:
    """A packet from ``hidden``, by a node's tunnel, that names ``far``."""
    cidr = _cidr(node, far.address)
    element = {SOURCE[scene.version]: hidden.value, **tunnel_field(node)}
    name = f"{named(hidden)} by the tunnel of node/{node.name}, carrying {named(far)}"
    if scene.expect.options.encap is Encap.VXLAN:
        if cidr is not None and (offset := far.value - cidr.value) and offset < 1 << offset_bits(cidr):
            yield {**element, "tun_id": offset}, far, name, True
            yield {**element, "tun_id": offset | 1 << offset_bits(cidr)}, None, f"{name}, an offset too large", True
        return
    element[scene.carrier_field()] = scene.carrying(far.value)
    yield {**element, "tun_id": MARKED}, far if cidr else None, name, True
    yield {**element, "tun_id": NO_CARRIER}, hidden, f"{name}, without the mark", False


def _cidr(node: Node, address: Address) -> Prefix | None:
    return next((cidr for cidr in node.pod_cidrs if cidr.contains(host_prefix(address))), None)


def _gateway(node: Node, version: int) -> Address | None:
    return next((cidr.gateway for cidr in node.pod_cidrs if cidr.family == version), None)


def to_locals(scene: Scene, arrivals: Arrivals) -> Iterator[Question]:
    """What comes in for local pods."""
    ends = scene.locals()
    if not ends:
        return
    space = scene.space(arrivals.elements, scene.to(ends), scene.cells.elements, arrivals.tunnels)
    ways = scene.ways(ends, arrivals.origin)
    names = [arrivals.names, [named(each) for each in ends]]
    leaves = scene.leaving(space, 1, ways)
    fields = {**scene.common(), **arrivals.fields}
    carried = arrivals.origin == "carrier"
    mark = _mark(scene, arrivals, space)
    both = space.column(0, tuple(far.value if far else 0 for far in arrivals.sources)), scene.ends(space)[1]
    for state in (OPENED,) if carried else STATES:
        verdicts = Table((1, 0, 2), scene.arriving(state.judge(scene), arrivals.sources, ends, arrivals.via))
        kind, note = ("carrier", "") if carried else ("policy", f"by the {arrivals.origin}")
        question = Question(kind, space, names, fields, space.everything, verdicts, leaves, note=note, ends=both)
        question.mark = mark
        yield _in_state(question, scene, state)


def _mark(scene: Scene, arrivals: Arrivals, space: Space) -> Value:
    """The number of the node whose tunnel packets came through."""
    numbers = number(scene.expect.prepared.cluster.nodes)
    by_tunnel_end = {
        (base, value): numbers[node.name]
        for node in scene.expect.others
        if node.tunnel_address
        for base, value in tunnel_field(node).items()
    }
    for dimension, elements in ((0, arrivals.elements), (3, arrivals.tunnels)):
        found = [next((by_tunnel_end[item] for item in each.items() if item in by_tunnel_end), 0) for each in elements]
        if any(found):
            return space.column(dimension, tuple(found))
    return 0


def to_others(scene: Scene, arrivals: Arrivals) -> Iterator[Question]:
    """What comes in for others: from the gateway it may go to other nodes, but nothing goes back where it came from."""
    if arrivals.origin == "carrier":
        return
    ends = [far for far in scene.far if far.address not in {each.address for each in scene.locals()}]
    space = scene.space(arrivals.elements, scene.to(ends), scene.cells.elements, arrivals.tunnels)
    ways = scene.ways(ends, arrivals.origin)
    passes = sum(1 << index for index, way in enumerate(ways) if way)
    every, whole = space.everything[1], scene.cells.all
    good = sum(1 << index for index, source in enumerate(arrivals.sources) if source)
    # What another node sends here for the node or the world may go on, or not: nobody sends it.
    unsure = passes if arrivals.origin == "tunnel" else 0
    rows = [
        Row(good, {whole: passes, 0: every & ~passes}, unsure | _vacant(ends, passes)),
        Row(space.everything[0] & ~good, {0: every}),
    ]
    yield Question(
        "policy",
        space,
        [arrivals.names, [named(each) for each in ends]],
        {**scene.common(), **arrivals.fields},
        space.everything,
        Table((0, 1, 2), [row for row in rows if row.elements]),
        scene.leaving(space, 1, ways),
        note=f"by the {arrivals.origin}",
    )


def _vacant(ends: Sequence[Far], among: int) -> int:
    return sum(1 << index for index, far in enumerate(ends) if far.vacant) & among


def unknown_tunnels(scene: Scene) -> Iterator[Question]:
    """Whoever is no node, or a node that has no part in this bridge, sends nothing by the tunnel."""
    known = [tunnel_field(node) for node in scene.expect.others if node.tunnel_address]
    tested = [
        {base: flow.terms[base][0]}
        for flow in scene.flows
        for base in ("tun_src", "tun_ipv6_src")
        if base in flow.terms
    ]
    unknown = [{"tun_src": NOBODYS_TUNNEL}, {"tun_src": 0}]
    unknown += [each for each in tested if each not in known and each not in unknown]
    ends = [far for far in scene.far if isinstance(far.end, PodEnd | NodeEnd)]
    space = scene.space(
        [{SOURCE[scene.version]: each.value} for each in scene.far],
        scene.to(ends),
        scene.cells.elements,
        unknown,
    )
    yield Question(
        "unknown tunnel",
        space,
        [[named(each) for each in scene.far], [named(each) for each in ends]],
        {**scene.common(), "in_port": scene.expect.ports.tunnel},
        space.everything,
        AllDropped(),
    )
