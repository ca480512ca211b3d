"""Questions about packets that nobody may send: forged, by unknown ports or tunnels, with VLAN tags, to groups."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from ovsnp.analysis.verification.expectation.leaving import carrier_field
from ovsnp.analysis.verification.expectation.proof_context import (
    ETH_TYPE,
    SOURCE,
    STRANGE_MAC,
    ProofContext,
    named,
    tunnel_field,
)
from ovsnp.analysis.verification.expectation.verdicts import AllDropped
from ovsnp.analysis.verification.packet_classes.addresses import PeerClass
from ovsnp.analysis.verification.packet_classes.connection_states import ELEMENTS, NAMES, known
from ovsnp.analysis.verification.questions.arrivals import carried, carrier_options, carrier_vnis, tunnel_nodes
from ovsnp.analysis.verification.questions.bridge_question import BridgeQuestion, QuestionKind
from ovsnp.analysis.verification.questions.by_state import marks
from ovsnp.analysis.verification.simulator.space import Element, bits, narrowed
from ovsnp.model.options import Encap
from ovsnp.oracle import PodEnd
from ovsnp.pipeline.carrier import MARKED, NO_CARRIER

_TAG = 0x1000
_ARP = 0x0806
_LLDP = 0x88CC
_GROUP = 1 << 40
_GROUP_MACS = {0x01005E0000FB, (1 << 48) - 1}
NOBODYS_TUNNEL = (203 << 24) + (113 << 8) + 254
"""203.0.113.254, of TEST-NET-3 (RFC 5737)."""

_SENDERS, _MACS, _SOURCES = range(3)
_VNIS, _OPTIONS = 1, 7


class Senders(NamedTuple):
    """The ports, or the tunnels, that packets come in by."""

    elements: Sequence[Element]
    tunneled: bool = False


def guarded(context: ProofContext) -> Iterator[BridgeQuestion]:
    """Questions about packets of the family that must be dropped, whatever policies say."""
    yield from forged(context)
    yield from strange_ports(context)
    yield from unknown_tunnels(context)
    yield from forged_carriers(context)
    yield from marked(context, "VLAN tag", tags(context))
    yield from marked(context, "multicast", groups(context))


def forged(context: ProofContext) -> Iterator[BridgeQuestion]:
    """Packets by each local port with each MAC and source address are dropped, unless both are those of the pod."""
    pods = list(context.expect.local.values())
    ports = [context.expect.ports.pods[pod.key] for pod in pods]
    macs = context.values("dl_src", {port.mac for port in ports} | {STRANGE_MAC})
    everyone = context.everyone
    question = _dropped(
        context,
        "spoofing",
        Senders([{"in_port": port.ofport} for port in ports]),
        [{"dl_src": mac} for mac in macs],
        [pod.key for pod in pods],
    )
    for index, (pod, port) in enumerate(zip(pods, ports, strict=True)):
        here = narrowed(question.sets, _SENDERS, 1 << index)
        mac, own = bits(each == port.mac for each in macs), bits(_is(far, pod.key) for far in everyone)
        anothers = narrowed(narrowed(here, _MACS, mac), _SOURCES, here[_SOURCES] & ~own)
        for sets in (narrowed(here, _MACS, here[_MACS] & ~mac), anothers):
            if all(sets):
                yield replace(question, sets=sets)


def _is(far: PeerClass, key: str) -> bool:
    return isinstance(far.end, PodEnd) and far.end.pod.key == key


def _dropped(
    context: ProofContext,
    kind: QuestionKind,
    senders: Senders,
    elements: Sequence[Element],
    names: Sequence[str],
    others: Sequence[Element] = ({},),
) -> BridgeQuestion:
    """A question about packets to everyone in every state, by sender; ``elements``, ``others``: two more dimensions."""
    everyone = context.everyone
    space = context.space(
        senders.elements,
        elements,
        [{SOURCE[context.version]: far.value} for far in everyone],
        context.to(everyone),
        context.cells.elements,
        ELEMENTS,
        marks(context).elements,
        others,
        tunneled=senders.tunneled,
    )
    who = [named(far) for far in everyone]
    names_ = [names, [], who, who, [], NAMES]
    return BridgeQuestion(
        kind, space, names_, context.common(space), space.everything, AllDropped(), memory={context.zone: known(space)}
    )


def strange_ports(context: ProofContext) -> Iterator[BridgeQuestion]:
    """Packets that come in by a port of no pod, and not by the gateway or the tunnel, are dropped."""
    strange = unknown_ports(context)
    yield _dropped(
        context,
        "unknown port",
        Senders([{"in_port": each} for each in strange]),
        [{}],
        [f"port {each}" for each in strange],
    )


def unknown_ports(context: ProofContext) -> list[int]:
    """Ports that are no pod's, nor gateway nor tunnel, of every class that flows tell apart."""
    ports = context.expect.ports
    known_ = {ports.tunnel, ports.gateway.ofport, *(ports.pods[key].ofport for key in context.expect.local)}
    tested = [each for each in context.values("in_port", known_) if each not in known_ and each]
    return [*tested, next(each for each in range(1, 1 << 16) if each not in known_ and each not in tested)]


def unknown_tunnels(context: ProofContext) -> Iterator[BridgeQuestion]:
    """Packets by the tunnel from an address that is not another node's tunnel address are dropped."""
    port = context.expect.ports.tunnel
    known_ = [tunnel_field(node) for node in context.expect.others if node.tunnel_address]
    unknown = [
        {base: each}
        for base, strangers in (("tun_src", {0, NOBODYS_TUNNEL}), ("tun_ipv6_src", {0}))
        for each in context.values(base, strangers | {element[base] for element in known_ if base in element})
        if {base: each} not in known_
    ]
    elements = [{"in_port": port, **each} for each in unknown]
    yield _dropped(context, "unknown tunnel", Senders(elements, tunneled=True), [{}], [f"{each}" for each in unknown])


def forged_carriers(context: ProofContext) -> Iterator[BridgeQuestion]:
    """Packets with a bad carrier are dropped: a wrong VNI, no option, an address outside of the sender's pod CIDR."""
    nodes = tunnel_nodes(context)
    if not nodes:
        return
    port, by_option = context.expect.ports.tunnel, context.expect.options.encap is Encap.GENEVE
    options = carrier_options(context) if by_option else [0]
    vnis = [each for each in carrier_vnis(context) if each != NO_CARRIER]
    elements = [{"in_port": port, **tunnel_field(node)} for node in nodes]
    question = _dropped(
        context,
        "carrier",
        Senders(elements, tunneled=True),
        [{"tun_id": each} for each in vnis],
        [f"by the tunnel of node/{node.name}" for node in nodes],
        [{carrier_field(context): each} for each in options] if by_option else [{}],
    )
    for index, node in enumerate(nodes):
        here = narrowed(question.sets, _SENDERS, 1 << index)
        if by_option:
            mark = bits(each == MARKED for each in vnis)
            names = bits(carried(context, node, each) for each in options)
            products = [
                narrowed(here, _VNIS, here[_VNIS] & ~mark),
                narrowed(narrowed(here, _VNIS, mark), _OPTIONS, here[_OPTIONS] & ~names),
            ]
        else:
            products = [narrowed(here, _VNIS, bits(not carried(context, node, each) for each in vnis))]
        yield from (replace(question, sets=sets) for sets in products if all(sets))


def tags(context: ProofContext) -> list[Element]:
    """Elements of packets with a VLAN tag."""
    return [{"vlan_tci": each} for each in context.values("vlan_tci", {_TAG, _TAG | 5}) if each & _TAG]


def groups(context: ProofContext) -> list[Element]:
    """Elements of packets to the MAC address of a group."""
    return [{"dl_dst": each} for each in context.values("dl_dst", _GROUP_MACS) if each & _GROUP]


def marked(context: ProofContext, kind: QuestionKind, elements: Sequence[Element]) -> Iterator[BridgeQuestion]:
    """Packets that are dropped for their Ethernet header, whoever sends them."""
    for senders in everybody(context):
        yield _dropped(context, kind, senders, elements, [f"port {each['in_port']}" for each in senders.elements])


def everybody(context: ProofContext) -> Iterator[Senders]:
    """Every port that packets come in by, and every tunnel."""
    ports = context.expect.ports
    own = [{"in_port": ports.pods[key].ofport} for key in context.expect.local]
    yield Senders([*own, {"in_port": ports.gateway.ofport}, *({"in_port": each} for each in unknown_ports(context))])
    nodes = [tunnel_field(node) for node in context.expect.others]
    yield Senders([{"in_port": ports.tunnel, **each} for each in [*nodes, {"tun_src": NOBODYS_TUNNEL}]], tunneled=True)


def foreign(context: ProofContext) -> Iterator[BridgeQuestion]:
    """Packets of Ethernet types other than IP and ARP are dropped, whoever sends them."""
    known_ = {*ETH_TYPE.values(), _ARP}
    types = [each for each in context.values("eth_type", {_LLDP, *known_}) if each not in known_]
    for senders in everybody(context):
        space = context.space(
            senders.elements,
            [{"eth_type": each} for each in types],
            [{"vlan_tci": 0}, *tags(context)],
            [{"dl_dst": each} for each in context.values("dl_dst", _GROUP_MACS)],
            tunneled=senders.tunneled,
        )
        names = [
            [f"port {each['in_port']}" for each in senders.elements],
            [f"Ethernet type {each:#06x}" for each in types],
        ]
        fields = {name: value for name, value in context.common(space).items() if name != "eth_type"}
        yield BridgeQuestion("other protocol", space, names, fields, space.everything, AllDropped())


def nothing(context: ProofContext) -> Iterator[BridgeQuestion]:
    """Packets of a family that the node does not have are dropped."""
    for senders in everybody(context):
        yield _dropped(
            context, "other protocol", senders, [{}], [f"port {each['in_port']}" for each in senders.elements]
        )
