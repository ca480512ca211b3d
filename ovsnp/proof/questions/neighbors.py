"""Questions about address resolution: who asks in its own name is answered with the bridge's MAC, and nobody else."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from ovsnp.model.address import family
from ovsnp.pipeline.ports import ROUTER_MAC
from ovsnp.proof.questions.guards import STRANGE_MAC, values
from ovsnp.proof.questions.question import Question
from ovsnp.proof.questions.scene import Scene, tunnel_field
from ovsnp.proof.questions.verdicts import Products
from ovsnp.proof.simulator.space import Element, Sets, Space, Value

_BROADCAST = 0xFFFFFFFFFFFF
_GROUP_MAC = 0x3333FF000001
_KIND = 5
_LINK_LOCAL = 0xFE80 << 112 | 1
_UNSPECIFIED = 0


class Asker(msgspec.Struct, frozen=True):
    """Who asks by a port: with which MAC (None: any) and addresses (None: any); its ``own`` it is not told of."""

    name: str
    element: Element
    mac: int | None
    addresses: frozenset[int] | None
    own: frozenset[int]


def neighbors(scene: Scene) -> Iterator[Question]:
    """ARP, or neighbour discovery, of the family."""
    yield _arp(scene) if scene.version == 4 else _discovery(scene)


def _askers(scene: Scene) -> list[Asker]:
    """The local pods and the gateway; then ports that nobody may ask by, of no address."""
    ports = scene.expect.ports
    found = []
    for pod in scene.expect.local.values():
        port = ports.pods[pod.key]
        own = frozenset(int.from_bytes(each, "big") for each in pod.addresses if family(each) == scene.version)
        found.append(Asker(pod.key, {"in_port": port.ofport}, port.mac, own, own))
    gateways = scene.expect.node.gateways if scene.expect.node else ()
    own = frozenset(int.from_bytes(each, "big") for each in gateways if family(each) == scene.version)
    found.append(Asker("the gateway", {"in_port": ports.gateway.ofport}, None, None, own))
    nobody: frozenset[int] = frozenset()
    for node in scene.expect.others:
        element = {"in_port": ports.tunnel, **tunnel_field(node)}
        found.append(Asker(f"the tunnel of node/{node.name}", element, None, nobody, nobody))
    known = {asker.element["in_port"] for asker in found} | {ports.tunnel}
    strange = set(values(scene.flows, "in_port", {next(each for each in range(1, 1 << 16) if each not in known)}))
    found += [Asker(f"port {each}", {"in_port": each}, None, nobody, nobody) for each in sorted(strange - known)]
    return found


def _arp(scene: Scene) -> Question:
    askers = _askers(scene)
    addresses = sorted({far.value for far in scene.far} | set(values(scene.flows, "arp_spa", set())))
    asked = sorted({far.value for far in scene.far} | set(values(scene.flows, "arp_tpa", set())))
    macs = _macs(scene, askers)
    kinds = values(scene.flows, "arp_op", {1, 2, 3})
    space = Space(
        [asker.element for asker in askers],
        [{"dl_src": mac} for mac in macs],
        [{"arp_sha": mac} for mac in macs],
        [{"arp_spa": each} for each in addresses],
        [{"arp_tpa": each} for each in asked],
        [{"arp_op": each} for each in kinds],
        [{"dl_dst": _BROADCAST}, {"dl_dst": ROUTER_MAC}],
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
    return _question("ARP", askers, space, {"eth_type": 0x806}, passes, leaves)


def _discovery(scene: Scene) -> Question:
    askers = _askers(scene)
    held = {far.value for far in scene.far}
    addresses = sorted(held | {_LINK_LOCAL, _UNSPECIFIED})
    asked = sorted(held | set(values(scene.flows, "nd_target", set())))
    macs = _macs(scene, askers)
    kinds = [133, 134, 135, 136, 137]
    space = Space(
        [asker.element for asker in askers],
        [{"dl_src": mac} for mac in macs],
        [{"nd_sll": mac} for mac in macs],
        [{"ipv6_src": each} for each in addresses],
        [{"nd_target": each} for each in asked],
        [{"icmp_type": each} for each in kinds],
        [{"dl_dst": _GROUP_MAC}, {"dl_dst": ROUTER_MAC}],
        [{"ipv6_dst": each} for each in sorted(held)],
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
    fields = {"eth_type": 0x86DD, "nw_proto": 58, "nw_ttl": 255}
    return _question("neighbour discovery", askers, space, fields, passes, leaves)


def _with_link_local(asker: Asker, addresses: Sequence[int]) -> Asker:
    """Who may ask by an address of its own may ask by a link-local one; duplicate address detection is not answered."""
    if asker.addresses is None:
        names = frozenset(addresses) - {_UNSPECIFIED}
    else:
        names = asker.addresses | {each for each in addresses if each >> 118 == 0xFE80 >> 6 and asker.addresses}
    return msgspec.structs.replace(asker, addresses=names)


def _macs(scene: Scene, askers: Sequence[Asker]) -> list[int]:
    tested = {mac for base in ("dl_src", "arp_sha", "nd_sll") for mac in values(scene.flows, base, set())}
    return sorted(tested | {STRANGE_MAC} | {asker.mac for asker in askers if asker.mac is not None})


def _answered(
    space: Space, index: int, asker: Asker, among: tuple[Sequence[int], Sequence[int], Sequence[int]], kind: int
) -> Sets:
    macs, addresses, asked = among
    mac = _bits(macs, None if asker.mac is None else {asker.mac})
    names = _bits(addresses, asker.addresses)
    others = _bits(asked, set(asked) - asker.own)
    return (1 << index, mac, mac, names, others, 1 << kind, *space.everything[_KIND + 1 :])


def _bits(found: Sequence[int], chosen: set[int] | frozenset[int] | None) -> int:
    return sum(1 << index for index, each in enumerate(found) if chosen is None or each in chosen)


def _question(
    kind: str,
    askers: Sequence[Asker],
    space: Space,
    fields: Mapping[str, int],
    passes: Sequence[Sets],
    leaves: Mapping[str, Value],
) -> Question:
    verdicts = Products([each for each in passes if all(each)])
    names = [[asker.name for asker in askers]]
    return Question(kind, space, names, fields, space.everything, verdicts, leaves)
