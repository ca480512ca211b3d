"""The senders of packets that come by the gateway or other nodes' tunnels, and the sources that policies judge."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from ovsnp.analysis.verification.expectation.leaving import carrier_field, option
from ovsnp.analysis.verification.expectation.proof_context import SOURCE, ProofContext, named, tunnel_field
from ovsnp.analysis.verification.packet_classes.addresses import PeerClass
from ovsnp.analysis.verification.questions.bridge_question import Remembered
from ovsnp.analysis.verification.questions.by_state import CARRIED_BITS, MARKS, SOURCES, opened
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
"""The dimension of tunnels, each perhaps with a carried source; it follows those of all questions about connections."""


class Arrivals(NamedTuple):
    """Packets that come in by the gateway or by tunnels.

    ``elements`` and ``names`` are those of ``sources``; None is an address that nobody may send from. ``fields`` are
    the fields of all packets. ``tunnels`` are the sending nodes with their elements. If these have a carrier,
    ``carried`` are the sources in it, which policy judges. ``others`` are further dimensions.
    """

    origin: str
    elements: Sequence[Element]
    sources: Sequence[PeerClass | None]
    names: Sequence[str]
    fields: Mapping[str, Value]
    tunnels: Sequence[tuple[Node, Element]] = ()
    carried: Sequence[PeerClass] = ()
    others: Sequence[Sequence[Element]] = ()

    @property
    def port(self) -> Origin:
        """The kind of port."""
        return Origin.TUNNEL if self.tunnels else Origin.GATEWAY

    @property
    def dimensions(self) -> list[Sequence[Element]]:
        """The dimensions after those of all questions about connections."""
        return [*([[element for _, element in self.tunnels]] if self.tunnels else ()), *self.others]

    @property
    def tunnel_names(self) -> list[list[str]]:
        """The names of the elements of the dimension of tunnels, if there is one."""
        if self.carried:
            there = zip(self.tunnels, self.carried, strict=True)
            return [[f"by the tunnel of node/{node.name}, carrying {named(far)}" for (node, _), far in there]]
        return [[f"by the tunnel of node/{node.name}" for node, _ in self.tunnels]] if self.tunnels else []

    @property
    def judged(self) -> tuple[int, Sequence[PeerClass | None]]:
        """The dimension of the sources that policy judges, and these sources."""
        return (TUNNELS, self.carried) if self.carried else (SOURCES, self.sources)


def arrivals(context: ProofContext) -> Iterator[Arrivals]:
    """Packets by the gateway, by tunnels without a carrier, and by tunnels with a carrier."""
    yield by_gateway(context)
    nodes = tunnel_nodes(context)
    if not nodes:
        return
    port = {"in_port": context.expect.ports.tunnel}
    who = _by_tunnel(context)
    options = [[{carrier_field(context): each} for each in carrier_options(context)]] if _by_option(context) else []
    plain = [(node, tunnel_field(node)) for node in nodes]
    yield Arrivals("tunnel", *who, {**port, "tun_id": NO_CARRIER}, plain, (), options)
    carrying = list(_carrying(context, nodes))
    if carrying:
        mark = {"tun_id": MARKED} if _by_option(context) else {}
        pairs = [(node, {**tunnel_field(node), **element}) for node, element, _ in carrying]
        yield Arrivals("carrier", *who, {**port, **mark}, pairs, [far for _, _, far in carrying])


def by_gateway(context: ProofContext) -> Arrivals:
    """Packets of the node itself and from outside: nobody there may send from a pod's address."""
    own = context.expect.node.gateways if context.expect.node else ()
    everyone = context.everyone
    sources = [None if context.in_pods(each.address) and each.address not in own else each for each in everyone]
    elements = [{SOURCE[context.version]: each.value} for each in everyone]
    names = [named(each) for each in everyone]
    return Arrivals("gateway", elements, sources, names, {"in_port": context.expect.ports.gateway.ofport})


def _by_tunnel(context: ProofContext) -> tuple[list[Element], list[PeerClass | None], list[str]]:
    """Elements, sources and names of packets of other nodes: none may send from an address of this node or its pods."""
    everyone = context.everyone
    return (
        [{SOURCE[context.version]: each.value} for each in everyone],
        [None if context.ours(each.address) else each for each in everyone],
        [named(each) for each in everyone],
    )


def tunnel_nodes(context: ProofContext) -> list[Node]:
    """The other nodes that have a tunnel address."""
    return [node for node in context.expect.others if node.tunnel_address]


def _by_option(context: ProofContext) -> bool:
    return context.expect.options.encap is Encap.GENEVE


def carrier_options(context: ProofContext) -> list[int]:
    """The Geneve options of the family that flows and nodes tell apart; 0: the packet has no option."""
    there = {option(far.value) for far in context.everyone}
    found = context.values(carrier_field(context), {0, *there})
    return [each for each in found if each == 0 or each >> OPTION_BITS]


def carrier_vnis(context: ProofContext) -> list[int]:
    """The VNIs that flows and nodes tell apart."""
    found = context.values("tun_id", {NO_CARRIER, MARKED} if _by_option(context) else _offsets(context))
    return [each for each in found if each < 1 << OFFSET_BITS]


def _offsets(context: ProofContext) -> set[int]:
    """0, the offset of every address class in a node's pod CIDR, and for each CIDR an offset that is too large."""
    cidrs = {(cidr.value, cidr.length): cidr for node in tunnel_nodes(context) for cidr in _cidrs(context, node)}
    lengths = sorted({cidr.length for cidr in cidrs.values()})
    found = {NO_CARRIER, *(1 << offset_bits(cidr) for cidr in cidrs.values())}
    for far in context.far:
        width = 8 * len(far.address)
        for length in lengths:
            cidr = cidrs.get((far.value >> (width - length) << (width - length), length))
            if cidr is not None:
                found.add(far.value - cidr.value)
    return found


def _cidrs(context: ProofContext, node: Node) -> list[Prefix]:
    return [cidr for cidr in node.pod_cidrs if cidr.family == context.version]


def _carrying(context: ProofContext, nodes: Sequence[Node]) -> Iterator[tuple[Node, Element, PeerClass]]:
    """The carriers that nodes may send: those of addresses in their own pod CIDRs."""
    found = carrier_options(context) if _by_option(context) else carrier_vnis(context)
    for node in nodes:
        for each in found:
            far = carried(context, node, each)
            if far is not None:
                yield node, {carrier_field(context): each}, far


def carried(context: ProofContext, node: Node, value: int) -> PeerClass | None:
    """The source in an option or VNI of a node; None: it has none, or the address is not in the node's pod CIDR."""
    cidr = next(iter(_cidrs(context, node)), None)
    if cidr is None or not value:
        return None
    host = cidr.width - cidr.length
    if _by_option(context):
        address = value & ~(1 << OPTION_BITS)
        there = address >> host == cidr.value >> host
    else:
        address, there = cidr.value + value, value < 1 << offset_bits(cidr)
    if not there:
        return None
    far = context.far_of(Address(address.to_bytes(cidr.width // 8, "big")))
    # The traffic of nodes has no carrier, so a node's address in a carrier counts as one that nobody has.
    return replace(far, end=OutsideEnd(far.address), vacant=True) if isinstance(far.end, NodeEnd) else far


def remembered(context: ProofContext, found: Arrivals, space: Space) -> Remembered:
    """What conntrack must remember of connections that come in: the node of the tunnel, and the carried source."""
    if not found.tunnels:
        return opened(context, space, Origin.GATEWAY)
    numbers = number(context.expect.oracle.cluster.nodes)
    mark = space.column(TUNNELS, tuple(numbers[node.name] for node, _ in found.tunnels))
    plain = opened(context, space, Origin.TUNNEL, mark)
    if not found.carried:
        return plain
    last = tuple((far.value & CARRIED_LABEL.full_mask) << CARRIED_LABEL.lsb for far in found.carried)
    label = [each for each in plain.label if each[0] != CARRIED_BITS]
    return replace(plain, label=[*label, (CARRIED_BITS, space.everything, space.column(TUNNELS, last))])


def strangers(found: Arrivals) -> int:
    """The sources that nobody may send from, as bits."""
    return bits(each is None for each in found.sources)
