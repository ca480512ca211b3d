"""Who sends by the gateway and by other nodes' tunnels: in which name, and on whose policies judge what comes."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from ovsnp.model.address import Address, Prefix
from ovsnp.model.cluster import Node
from ovsnp.model.options import Encap
from ovsnp.pipeline.carrier import MARKED, NO_CARRIER, offset_bits
from ovsnp.pipeline.numbers import number
from ovsnp.pipeline.registers import CARRIED_LABEL, Origin
from ovsnp.proof.questions.addresses import Far
from ovsnp.proof.questions.connected import MARKS, OPENED_MASK, SOURCES, opened
from ovsnp.proof.questions.leaving import carrier_field, option
from ovsnp.proof.questions.question import Remembered
from ovsnp.proof.questions.scene import SOURCE, Scene, named, tunnel_field
from ovsnp.proof.simulator.places import OPTION_BITS
from ovsnp.proof.simulator.space import Element, Sets, Space, Value, bits, narrowed
from ovsnp.verify import NodeEnd, OutsideEnd

VNI_BITS = 24
TUNNELS, CARRIERS, VNIS = range(MARKS + 1, MARKS + 4)
"""Dimensions of what comes by tunnels, after those of all questions about connections."""


class Part(NamedTuple):
    """Packets whose policies judge alike: ``dimension`` is that of the sources, of whom None may send nothing.

    ``via``: they were sent through a Service.
    """

    sets: Sets
    dimension: int
    sources: Sequence[Far | None]
    via: bool = False


class Arrivals(NamedTuple):
    """Packets that come in by gateway or tunnel: the sources' elements with their names, and the other dimensions."""

    origin: str
    elements: Sequence[Element]
    sources: Sequence[Far | None]
    names: Sequence[str]
    fields: Mapping[str, Value]
    others: Sequence[Sequence[Element]] = ()
    other_names: Sequence[Sequence[str]] = ()

    @property
    def kind(self) -> Origin:
        """The number of the kind of port."""
        return Origin.GATEWAY if self.origin == "gateway" else Origin.TUNNEL


def arrivals(scene: Scene) -> Iterator[Arrivals]:
    """What comes in by the gateway, and by the tunnel."""
    yield by_gateway(scene)
    if found := _by_tunnel(scene):
        yield found


def by_gateway(scene: Scene) -> Arrivals:
    """What the node's host sends, and what comes from outside: nothing in the name of a pod."""
    own = scene.expect.node.gateways if scene.expect.node else ()
    everyone = scene.everyone()
    sources = [None if scene.in_pods(each.address) and each.address not in own else each for each in everyone]
    elements = [{SOURCE[scene.version]: each.value} for each in everyone]
    return Arrivals("gateway", elements, sources, [named(each) for each in everyone],
                    {"in_port": scene.expect.ports.gateway.ofport})  # fmt: skip


def _by_tunnel(scene: Scene) -> Arrivals | None:
    """What other nodes send: nothing in the name of this node or its pods."""
    nodes = tunnel_nodes(scene)
    if not nodes:
        return None
    everyone = scene.everyone()
    carriers, vnis = _carriers(scene, nodes)
    return Arrivals(
        "tunnel",
        [{SOURCE[scene.version]: each.value} for each in everyone],
        [None if scene.ours(each.address) else each for each in everyone],
        [named(each) for each in everyone],
        {"in_port": scene.expect.ports.tunnel},
        ([tunnel_field(node) for node in nodes], carriers, vnis),
        ([f"by the tunnel of node/{node.name}" for node in nodes],),
    )


def tunnel_nodes(scene: Scene) -> list[Node]:
    """The other nodes that have a tunnel."""
    return [node for node in scene.expect.others if node.tunnel_address]


def _carriers(scene: Scene, nodes: Sequence[Node]) -> tuple[list[Element], list[Element]]:
    """What may be carried: options of the family, and VNIs."""
    if scene.expect.options.encap is Encap.VXLAN:
        return [{}], _vnis(scene, _offsets(scene, nodes))
    field = carrier_field(scene)
    named_ = {option(far.value) for far in scene.everyone()}
    options = [each for each in scene.values(field, {0, *named_}) if each == 0 or each >> OPTION_BITS]
    return [{field: each} for each in options], _vnis(scene, {NO_CARRIER, MARKED})


def _vnis(scene: Scene, exact: set[int]) -> list[Element]:
    return [{"tun_id": each} for each in scene.values("tun_id", exact) if each < 1 << VNI_BITS]


def _offsets(scene: Scene, nodes: Sequence[Node]) -> set[int]:
    """0, and every offset of an address class in a node's pod CIDR, and one too large for it."""
    cidrs = {(cidr.value, cidr.length): cidr for node in nodes for cidr in _cidrs(scene, node)}
    lengths = sorted({cidr.length for cidr in cidrs.values()})
    found = {0, *(1 << offset_bits(cidr) for cidr in cidrs.values())}
    for far in scene.far:
        for length in lengths:
            cidr = cidrs.get((far.value >> (_width(far) - length) << (_width(far) - length), length))
            if cidr is not None:
                found.add(far.value - cidr.value)
    return found


def _width(far: Far) -> int:
    return 8 * len(far.address)


def _cidrs(scene: Scene, node: Node) -> list[Prefix]:
    return [cidr for cidr in node.pod_cidrs if cidr.family == scene.version]


def parts(scene: Scene, found: Arrivals, space: Space) -> Iterator[Part]:
    """What comes in, by whom policy judges; together these are all packets."""
    everything = space.everything
    good = bits(found.sources)
    if strangers := everything[SOURCES] & ~good:
        yield Part(narrowed(everything, SOURCES, strangers), SOURCES, [None] * len(found.sources))
    if not good:
        return
    theirs = narrowed(everything, SOURCES, good)
    if found.origin == "gateway":
        yield Part(theirs, SOURCES, found.sources)
        return
    yield Part(narrowed(theirs, VNIS, without_carrier(space)), SOURCES, found.sources)
    if others := everything[VNIS] & ~without_carrier(space):
        by_vni = _by_offset if scene.expect.options.encap is Encap.VXLAN else _by_option
        yield from by_vni(scene, space, narrowed(theirs, VNIS, others))


def without_carrier(space: Space) -> int:
    """The VNIs that say that there is no carrier."""
    return bits(element["tun_id"] == NO_CARRIER for element in space.dimensions[VNIS])


def _by_option(scene: Scene, space: Space, theirs: Sets) -> Iterator[Part]:
    """A Geneve option, said to be there by the VNI, has an address of the sender's pod CIDRs; else it is nobody's."""
    field = carrier_field(scene)
    carried = [_carried_far(scene, element[field]) for element in space.dimensions[CARRIERS]]
    nobody: list[Far | None] = [None] * len(carried)
    marked = bits(element["tun_id"] == MARKED for element in space.dimensions[VNIS])
    by_node: dict[int, int] = defaultdict(int)
    for index, node in enumerate(tunnel_nodes(scene)):
        plausible = (any(_holds(cidr, far) for cidr in _cidrs(scene, node)) if far else False for far in carried)
        by_node[bits(plausible)] |= 1 << index
    if unmarked := theirs[VNIS] & ~marked:
        yield Part(narrowed(theirs, VNIS, unmarked), CARRIERS, nobody)
    for plausible_, nodes in by_node.items():
        here = narrowed(narrowed(theirs, TUNNELS, nodes), VNIS, marked)
        if plausible_:
            yield Part(narrowed(here, CARRIERS, plausible_), CARRIERS, carried, via=True)
        if rest := here[CARRIERS] & ~plausible_:
            yield Part(narrowed(here, CARRIERS, rest), CARRIERS, nobody)


def _carried_far(scene: Scene, value: int) -> Far | None:
    if not value:
        return None
    return _named(scene, Address((value & ~(1 << OPTION_BITS)).to_bytes(4 if scene.version == 4 else 16, "big")))


def _named(scene: Scene, address: Address) -> Far:
    """Whom a carrier names: no node's own traffic has a carrier, so of a node that is an address that nobody has."""
    far = scene.far_of(address)
    return replace(far, end=OutsideEnd(address), vacant=True) if isinstance(far.end, NodeEnd) else far


def _holds(cidr: Prefix, far: Far) -> bool:
    host = cidr.width - cidr.length
    return far.value >> host == cidr.value >> host


def _by_offset(scene: Scene, space: Space, theirs: Sets) -> Iterator[Part]:
    """A VNI is the offset of the source in the sender's pod CIDR; one that is too large is nobody's."""
    offsets = [element["tun_id"] for element in space.dimensions[VNIS]]
    for index, node in enumerate(tunnel_nodes(scene)):
        here = narrowed(theirs, TUNNELS, 1 << index)
        cidr = next(iter(_cidrs(scene, node)), None)
        carried = [_at_offset(scene, cidr, each) if cidr else None for each in offsets]
        yield Part(here, VNIS, carried, via=True)


def _at_offset(scene: Scene, cidr: Prefix, offset: int) -> Far | None:
    if not 0 < offset < 1 << offset_bits(cidr):
        return None
    return _named(scene, Address((cidr.value + offset).to_bytes(cidr.width // 8, "big")))


def remembered(scene: Scene, found: Arrivals, space: Space) -> Remembered:
    """What conntrack remembers of connections that come in: the node whose tunnel it was, and what was carried."""
    if found.origin == "gateway":
        return opened(scene, space, Origin.GATEWAY)
    numbers = number(scene.expect.prepared.cluster.nodes)
    mark = space.column(TUNNELS, tuple(numbers[node.name] for node in tunnel_nodes(scene)))
    plain = opened(scene, space, Origin.TUNNEL, mark)
    ((_, label),) = plain.labels
    labels = []
    for part in parts(scene, found, space):
        carried = tuple(_last(far) << CARRIED_LABEL.lsb if far and part.via else 0 for far in part.sources)
        column = space.column(part.dimension, carried)
        labels.append((part.sets, space.write(column, label, OPENED_MASK & ~_CARRIED)))
    return replace(plain, labels=labels)


_CARRIED = CARRIED_LABEL.full_mask << CARRIED_LABEL.lsb


def _last(far: Far) -> int:
    return far.value & CARRIED_LABEL.full_mask
