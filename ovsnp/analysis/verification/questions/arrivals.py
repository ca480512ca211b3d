"""Who sends by the gateway and by other nodes' tunnels: in which name, and on whose policies judge what comes."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from ovsnp.analysis.verification.questions.addresses import Far
from ovsnp.analysis.verification.questions.connected import CARRIED_BITS, MARKS, SOURCES, opened
from ovsnp.analysis.verification.questions.leaving import carrier_field, option
from ovsnp.analysis.verification.questions.question import Remembered
from ovsnp.analysis.verification.questions.scene import SOURCE, Scene, named, tunnel_field
from ovsnp.analysis.verification.simulator.places import OPTION_BITS
from ovsnp.analysis.verification.simulator.space import Element, Space, Value, bits
from ovsnp.model.address import Address, Prefix
from ovsnp.model.cluster import Node
from ovsnp.model.options import Encap
from ovsnp.oracle import NodeEnd, OutsideEnd
from ovsnp.pipeline.carrier import MARKED, NO_CARRIER, OFFSET_BITS, offset_bits
from ovsnp.pipeline.numbers import number
from ovsnp.pipeline.registers import CARRIED_LABEL, Origin

TUNNELS = MARKS + 1
"""The dimension of tunnels, or of tunnels with what is carried, after those of all questions about connections."""


class Arrivals(NamedTuple):
    """Packets that come in by gateway or tunnel.

    ``elements`` are those of ``sources``; in the name of None nobody sends. ``tunnels`` are the nodes with their
    elements, which may say what is carried: then ``carried`` are the sources that policy judges.
    """

    origin: str
    elements: Sequence[Element]
    sources: Sequence[Far | None]
    names: Sequence[str]
    fields: Mapping[str, Value]
    tunnels: Sequence[tuple[Node, Element]] = ()
    carried: Sequence[Far] = ()
    others: Sequence[Sequence[Element]] = ()

    @property
    def port(self) -> Origin:
        """The number of the kind of port."""
        return Origin.TUNNEL if self.tunnels else Origin.GATEWAY

    @property
    def dimensions(self) -> list[Sequence[Element]]:
        """Those after the dimensions of all questions about connections."""
        return [*([[element for _, element in self.tunnels]] if self.tunnels else ()), *self.others]

    @property
    def tunnel_names(self) -> list[list[str]]:
        """The names of the first of these."""
        if self.carried:
            there = zip(self.tunnels, self.carried, strict=True)
            return [[f"by the tunnel of node/{node.name}, carrying {named(far)}" for (node, _), far in there]]
        return [[f"by the tunnel of node/{node.name}" for node, _ in self.tunnels]] if self.tunnels else []

    @property
    def judged(self) -> tuple[int, Sequence[Far | None]]:
        """The dimension of those whom policy judges, and who they are."""
        return (TUNNELS, self.carried) if self.carried else (SOURCES, self.sources)


def arrivals(scene: Scene) -> Iterator[Arrivals]:
    """What comes in by the gateway, by tunnels without carrier, and with it."""
    yield by_gateway(scene)
    nodes = tunnel_nodes(scene)
    if not nodes:
        return
    port = {"in_port": scene.expect.ports.tunnel}
    who = _by_tunnel(scene)
    options = [[{carrier_field(scene): each} for each in carrier_options(scene)]] if _by_option(scene) else []
    plain = [(node, tunnel_field(node)) for node in nodes]
    yield Arrivals("tunnel", *who, {**port, "tun_id": NO_CARRIER}, plain, (), options)
    carrying = list(_carrying(scene, nodes))
    if carrying:
        mark = {"tun_id": MARKED} if _by_option(scene) else {}
        pairs = [(node, {**tunnel_field(node), **element}) for node, element, _ in carrying]
        yield Arrivals("carrier", *who, {**port, **mark}, pairs, [far for _, _, far in carrying])


def by_gateway(scene: Scene) -> Arrivals:
    """What the node's host sends, and what comes from outside: nothing in the name of a pod."""
    own = scene.expect.node.gateways if scene.expect.node else ()
    everyone = scene.everyone
    sources = [None if scene.in_pods(each.address) and each.address not in own else each for each in everyone]
    elements = [{SOURCE[scene.version]: each.value} for each in everyone]
    names = [named(each) for each in everyone]
    return Arrivals("gateway", elements, sources, names, {"in_port": scene.expect.ports.gateway.ofport})


def _by_tunnel(scene: Scene) -> tuple[list[Element], list[Far | None], list[str]]:
    """What other nodes send: nothing in the name of this node or its pods."""
    everyone = scene.everyone
    return (
        [{SOURCE[scene.version]: each.value} for each in everyone],
        [None if scene.ours(each.address) else each for each in everyone],
        [named(each) for each in everyone],
    )


def tunnel_nodes(scene: Scene) -> list[Node]:
    """The other nodes that have a tunnel."""
    return [node for node in scene.expect.others if node.tunnel_address]


def _by_option(scene: Scene) -> bool:
    return scene.expect.options.encap is Encap.GENEVE


def carrier_options(scene: Scene) -> list[int]:
    """The Geneve options of the family that flows and nodes tell apart; 0: there is none."""
    there = {option(far.value) for far in scene.everyone}
    found = scene.values(carrier_field(scene), {0, *there})
    return [each for each in found if each == 0 or each >> OPTION_BITS]


def carrier_vnis(scene: Scene) -> list[int]:
    """The VNIs that flows and nodes tell apart."""
    found = scene.values("tun_id", {NO_CARRIER, MARKED} if _by_option(scene) else _offsets(scene))
    return [each for each in found if each < 1 << OFFSET_BITS]


def _offsets(scene: Scene) -> set[int]:
    """0, and every offset of an address class in a node's pod CIDR, and one too large for it."""
    cidrs = {(cidr.value, cidr.length): cidr for node in tunnel_nodes(scene) for cidr in _cidrs(scene, node)}
    lengths = sorted({cidr.length for cidr in cidrs.values()})
    found = {NO_CARRIER, *(1 << offset_bits(cidr) for cidr in cidrs.values())}
    for far in scene.far:
        width = 8 * len(far.address)
        for length in lengths:
            cidr = cidrs.get((far.value >> (width - length) << (width - length), length))
            if cidr is not None:
                found.add(far.value - cidr.value)
    return found


def _cidrs(scene: Scene, node: Node) -> list[Prefix]:
    return [cidr for cidr in node.pod_cidrs if cidr.family == scene.version]


def _carrying(scene: Scene, nodes: Sequence[Node]) -> Iterator[tuple[Node, Element, Far]]:
    """What nodes may carry: the addresses of their own pod CIDRs."""
    found = carrier_options(scene) if _by_option(scene) else carrier_vnis(scene)
    for node in nodes:
        for each in found:
            far = carried(scene, node, each)
            if far is not None:
                yield node, {carrier_field(scene): each}, far


def carried(scene: Scene, node: Node, value: int) -> Far | None:
    """Whom an option or VNI of a node names; None: it is no carrier, or an address that is not the node's to give."""
    cidr = next(iter(_cidrs(scene, node)), None)
    if cidr is None or not value:
        return None
    host = cidr.width - cidr.length
    if _by_option(scene):
        address = value & ~(1 << OPTION_BITS)
        there = address >> host == cidr.value >> host
    else:
        address, there = cidr.value + value, value < 1 << offset_bits(cidr)
    if not there:
        return None
    far = scene.far_of(Address(address.to_bytes(cidr.width // 8, "big")))
    # No node's own traffic has a carrier, so of a node that is an address that nobody has.
    return replace(far, end=OutsideEnd(far.address), vacant=True) if isinstance(far.end, NodeEnd) else far


def remembered(scene: Scene, found: Arrivals, space: Space) -> Remembered:
    """What conntrack remembers of connections that come in: the node whose tunnel it was, and what was carried."""
    if not found.tunnels:
        return opened(scene, space, Origin.GATEWAY)
    numbers = number(scene.expect.prepared.cluster.nodes)
    mark = space.column(TUNNELS, tuple(numbers[node.name] for node, _ in found.tunnels))
    plain = opened(scene, space, Origin.TUNNEL, mark)
    if not found.carried:
        return plain
    last = tuple((far.value & CARRIED_LABEL.full_mask) << CARRIED_LABEL.lsb for far in found.carried)
    label = [each for each in plain.label if each[0] != CARRIED_BITS]
    return replace(plain, label=[*label, (CARRIED_BITS, space.everything, space.column(TUNNELS, last))])


def strangers(found: Arrivals) -> int:
    """The sources in whose name nobody sends."""
    return bits(each is None for each in found.sources)
