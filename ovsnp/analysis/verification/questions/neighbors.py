"""Questions about ARP and neighbour discovery: the bridge answers senders that ask in their own name, and no others."""

from collections.abc import Collection, Mapping, Sequence

import msgspec

from ovsnp.analysis.verification.expectation.proof_context import STRANGE_MAC, ProofContext, tunnel_field
from ovsnp.analysis.verification.expectation.verdicts import Products
from ovsnp.analysis.verification.packet_classes.connection_states import ELEMENTS, known
from ovsnp.analysis.verification.questions.bridge_question import BridgeQuestion, QuestionKind
from ovsnp.analysis.verification.questions.guards import NOBODYS_TUNNEL, tags, unknown_ports
from ovsnp.analysis.verification.simulator.space import Element, Sets, Space, Value
from ovsnp.model.address import family
from ovsnp.pipeline.ports import ROUTER_MAC

_BROADCAST = 0xFFFFFFFFFFFF
_GROUP_MAC = 0x3333FF000001
_TAG = 6
_LINK_LOCAL = 0xFE80 << 112 | 1
_UNSPECIFIED = 0


class Asker(msgspec.Struct, frozen=True):
    """A sender of requests by a port, with the MAC (None: any) and addresses (None: any) that it may ask with.

    ``own`` are its own addresses: requests for them are not answered.
    """

    name: str
    element: Element
    mac: int | None
    addresses: frozenset[int] | None
    own: frozenset[int]


def address_resolution(context: ProofContext) -> BridgeQuestion:
    """The question about ARP; on a node without IPv4 nothing is answered."""
    askers = _askers(context)
    held = {far.value for far in context.everyone}
    addresses, asked = context.values("arp_spa", _own(askers) | held), context.values("arp_tpa", _own(askers) | held)
    macs, kinds = _macs(context, askers), context.values("arp_op", {1, 2, 3})
    space = context.space(
        [asker.element for asker in askers],
        [{"dl_src": mac} for mac in macs],
        [{"arp_sha": mac} for mac in macs],
        [{"arp_spa": each} for each in addresses],
        [{"arp_tpa": each} for each in asked],
        [{"arp_op": each} for each in kinds],
        _tagged(context),
        [{"dl_dst": each} for each in context.values("dl_dst", {_BROADCAST, ROUTER_MAC})],
        tunneled=True,
    )
    start = space.fields()
    leaves = {
        "port": start["in_port"],
        "dl_dst": start["dl_src"],
        "dl_src": ROUTER_MAC,
        "arp_op": 2,
        "arp_sha": ROUTER_MAC,
        "arp_tha": start["arp_sha"],
        "arp_spa": start["arp_tpa"],
        "arp_tpa": start["arp_spa"],
    }
    passes = [_answered(space, index, asker, (macs, addresses, asked), kinds.index(1))
              for index, asker in enumerate(askers)]  # fmt: skip
    return _question("ARP", context, askers, space, {"eth_type": 0x806}, passes, leaves)


def discovery(context: ProofContext) -> BridgeQuestion:
    """The question about neighbour discovery; on a node without IPv6 nothing is answered."""
    askers = _askers(context)
    held = {far.value for far in context.everyone}
    addresses = sorted(held | {_LINK_LOCAL, _UNSPECIFIED})
    asked = context.values("nd_target", held)
    macs = _macs(context, askers)
    kinds = [133, 134, 135, 136, 137]
    space = context.space(
        [asker.element for asker in askers],
        [{"dl_src": mac} for mac in macs],
        [{"nd_sll": mac} for mac in macs],
        [{"ipv6_src": each} for each in addresses],
        [{"nd_target": each} for each in asked],
        [{"icmp_type": each} for each in kinds],
        _tagged(context),
        [{"dl_dst": each} for each in context.values("dl_dst", {_GROUP_MAC, ROUTER_MAC})],
        [{"ipv6_dst": each} for each in sorted(held)],
        ELEMENTS,
        tunneled=True,
    )
    start = space.fields()
    leaves = {
        "port": start["in_port"],
        "dl_dst": start["dl_src"],
        "dl_src": ROUTER_MAC,
        "icmp_type": 136,
        "nd_tll": ROUTER_MAC,
        "nd_target": start["nd_target"],
        "ipv6_src": start["nd_target"],
        "ipv6_dst": start["ipv6_src"],
        "nd_options_type": 2,
        "nd_reserved": 0b111 << 29,
    }
    named = [_with_link_local(asker, addresses) for asker in askers]
    passes = [_answered(space, index, asker, (macs, addresses, asked), kinds.index(135))
              for index, asker in enumerate(named)]  # fmt: skip
    fields = {**context.common(space), "nw_proto": 58, "nw_ttl": 255}
    question = _question("neighbour discovery", context, askers, space, fields, passes, leaves)
    question.memory = {context.zone: known(space)}
    return question


def _askers(context: ProofContext) -> list[Asker]:
    """The local pods and the gateway; then tunnels and unknown ports, by which no sender may ask."""
    ports = context.expect.ports
    found = []
    for pod in context.expect.local.values():
        port = ports.pods[pod.key]
        own = frozenset(int.from_bytes(each, "big") for each in pod.addresses if family(each) == context.version)
        found.append(Asker(pod.key, {"in_port": port.ofport}, port.mac, own, own))
    gateways = context.expect.node.gateways if context.expect.node else ()
    own = frozenset(int.from_bytes(each, "big") for each in gateways if family(each) == context.version)
    found.append(Asker("the gateway", {"in_port": ports.gateway.ofport}, None, None, own))
    nobody: frozenset[int] = frozenset()
    for node in context.expect.others:
        element = {"in_port": ports.tunnel, **tunnel_field(node)}
        found.append(Asker(f"the tunnel of node/{node.name}", element, None, nobody, nobody))
    element = {"in_port": ports.tunnel, "tun_src": NOBODYS_TUNNEL}
    found.append(Asker("an unknown tunnel", element, None, nobody, nobody))
    found += [Asker(f"port {each}", {"in_port": each}, None, nobody, nobody) for each in unknown_ports(context)]
    return found


def _own(askers: Sequence[Asker]) -> set[int]:
    return {each for asker in askers for each in asker.own}


def _tagged(context: ProofContext) -> list[Element]:
    """Elements of packets: first without a VLAN tag, then with one."""
    return [{"vlan_tci": 0}, *tags(context)]


def _with_link_local(asker: Asker, addresses: Sequence[int]) -> Asker:
    """The sender, also with link-local addresses if it may ask at all; duplicate address detection is not answered."""
    if asker.addresses is None:
        names = frozenset(addresses) - {_UNSPECIFIED}
    else:
        names = asker.addresses | {each for each in addresses if each >> 118 == 0xFE80 >> 6 and asker.addresses}
    return msgspec.structs.replace(asker, addresses=names)


def _macs(context: ProofContext, askers: Sequence[Asker]) -> list[int]:
    exact = {STRANGE_MAC} | {asker.mac for asker in askers if asker.mac is not None}
    return sorted({mac for base in ("dl_src", "arp_sha", "nd_sll") for mac in context.values(base, exact)})


def _answered(
    space: Space, index: int, asker: Asker, among: tuple[Sequence[int], Sequence[int], Sequence[int]], kind: int
) -> Sets:
    macs, addresses, asked = among
    mac = _bits(macs, None if asker.mac is None else {asker.mac})
    names = _bits(addresses, asker.addresses)
    others = _bits(asked, set(asked) - asker.own)
    return (1 << index, mac, mac, names, others, 1 << kind, 1, *space.everything[_TAG + 1 :])


def _bits(found: Sequence[int], chosen: Collection[int] | None) -> int:
    return sum(1 << index for index, each in enumerate(found) if chosen is None or each in chosen)


def _question(
    kind: QuestionKind,
    context: ProofContext,
    askers: Sequence[Asker],
    space: Space,
    fields: Mapping[str, Value],
    passes: Sequence[Sets],
    leaves: Mapping[str, Value],
) -> BridgeQuestion:
    verdicts = Products([each for each in passes if all(each) and context.expect.has_family])
    names = [[asker.name for asker in askers]]
    return BridgeQuestion(kind, space, names, fields, space.everything, verdicts, leaves)
