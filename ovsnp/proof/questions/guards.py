"""Questions about what nobody may send: in another's name, by a strange port, with a VLAN tag, to a group's MAC."""

from collections.abc import Iterator, Sequence

from ovsnp.model.address import family
from ovsnp.proof.questions.question import Question
from ovsnp.proof.questions.scene import ETH_TYPE, SOURCE, Scene, named, tunnel_field
from ovsnp.proof.questions.verdicts import AllDropped, Own
from ovsnp.proof.simulator.reading import ReadFlow
from ovsnp.proof.simulator.space import Element, Space
from ovsnp.verify import PodEnd

_TAGGED = 0x1000
_ARP = 0x0806
_LLDP = 0x88CC
_GROUP_MAC = 0x01005E0000FB
STRANGE_MAC = 0x02AA00000001


def guarded(scene: Scene) -> Iterator[Question]:
    """Everything that must be dropped, whatever policies say."""
    yield from forged(scene)
    yield from strange_ports(scene)
    yield from tagged(scene)
    yield foreign(scene)


def forged(scene: Scene) -> Iterator[Question]:
    """Each local port with each MAC, source and destination address: what is not its own pod's is dropped."""
    pods = list(scene.expect.local.values())
    if not pods:
        return
    ports = [scene.expect.ports.pods[pod.key] for pod in pods]
    macs = values(scene.flows, "dl_src", {port.mac for port in ports} | {STRANGE_MAC})
    owned = [
        (
            sum(1 << index for index, mac in enumerate(macs) if mac == port.mac),
            sum(
                1 << index
                for index, far in enumerate(scene.far)
                if isinstance(far.end, PodEnd) and far.end.pod.key == pod.key
            ),
        )
        for pod, port in zip(pods, ports, strict=True)
    ]
    space = scene.space(
        [{"in_port": port.ofport} for port in ports],
        [{"dl_src": mac} for mac in macs],
        [{SOURCE[scene.version]: far.value} for far in scene.far],
        scene.cells.elements,
        scene.to(scene.far),
    )
    names = [[pod.key for pod in pods], [f"MAC {mac:012x}" for mac in macs], [named(far) for far in scene.far]]
    yield Question("spoofing", space, names, scene.common(), space.everything, Own((0, 1, 2), owned))


def strange_ports(scene: Scene) -> Iterator[Question]:
    """A port that is no pod's, nor gateway nor tunnel, brings nothing in."""
    ports = scene.expect.ports
    known = {ports.tunnel, ports.gateway.ofport, *(ports.pods[key].ofport for key in scene.expect.local)}
    unknown = next(number for number in range(1, 1 << 16) if number not in known)
    strange = [number for number in values(scene.flows, "in_port", {unknown}) if number not in known]
    macs = values(scene.flows, "dl_src", {STRANGE_MAC})
    space = scene.space(
        [{"in_port": number} for number in strange],
        [{SOURCE[scene.version]: far.value} for far in scene.far],
        scene.cells.elements,
        scene.to(scene.far),
        [{"dl_src": mac} for mac in macs],
    )
    names = [[f"port {number}" for number in strange], [named(far) for far in scene.far]]
    yield Question("unknown port", space, names, scene.common(), space.everything, AllDropped())


def foreign(scene: Scene) -> Question:
    """Ethernet types besides IP of the node's families and ARP end here, by whatever port they come."""
    ports = scene.expect.ports
    families = {family(address) for pod in scene.expect.local.values() for address in pod.addresses}
    families |= {cidr.family for cidr in (scene.expect.node.pod_cidrs if scene.expect.node else ())}
    known = {ETH_TYPE[each] for each in families} | {_ARP}
    types = [each for each in values(scene.flows, "eth_type", {_LLDP, *ETH_TYPE.values()}) if each not in known]
    senders = [
        *({"in_port": ports.pods[key].ofport, "dl_src": ports.pods[key].mac} for key in scene.expect.local),
        {"in_port": ports.gateway.ofport, "dl_src": ports.gateway.mac},
        *({"in_port": ports.tunnel, **tunnel_field(node)} for node in scene.expect.others),
    ]
    space = scene.space(senders, [{"eth_type": each} for each in types])
    names = [[f"port {sender['in_port']}" for sender in senders], [f"Ethernet type {each:#06x}" for each in types]]
    fields = {name: value for name, value in scene.common().items() if name != "eth_type"}
    return Question("other protocol", space, names, fields, space.everything, AllDropped())


def tagged(scene: Scene) -> Iterator[Question]:
    """VLAN tags, and packets to a group's MAC address, end at once, whoever sends them."""
    ports = scene.expect.ports
    everyone = [{SOURCE[scene.version]: far.value} for far in scene.far]
    tunnels = [{"in_port": ports.tunnel, "tun_src": value} for value in values(scene.flows, "tun_src", {0})]
    senders: list[tuple[Sequence[Element], Sequence[Element]]] = [
        (scene.from_pods(scene.locals()), [{}]),
        ([{"in_port": ports.gateway.ofport, "dl_src": ports.gateway.mac}], everyone),
        (tunnels, everyone),
    ]
    tags = sorted({number | _TAGGED for number in (0, 5, *values(scene.flows, "vlan_tci", {0}))})
    groups = [number for number in values(scene.flows, "dl_dst", {_GROUP_MAC, (1 << 48) - 1}) if number >> 40 & 1]
    for kind, elements in (
        ("VLAN tag", [{"vlan_tci": tag} for tag in tags]),
        ("multicast", [{"dl_dst": mac} for mac in groups]),
    ):
        for those, sources in senders:
            if those:
                yield _all_dropped(scene, kind, (those, sources), elements)


def _all_dropped(
    scene: Scene, kind: str, senders: tuple[Sequence[Element], Sequence[Element]], elements: Sequence[Element]
) -> Question:
    space = Space(*senders, scene.to(scene.far), scene.cells.elements, elements)
    fields = {name: value for name, value in scene.common().items() if name not in elements[0]}
    names = [[f"port {sender['in_port']}" for sender in senders[0]]]
    return Question(kind, space, names, fields, space.everything, AllDropped())


def values(flows: Sequence[ReadFlow], base: str, others: set[int]) -> list[int]:
    """The values that flows test a base for, and others."""
    return sorted({flow.terms[base][0] for flow in flows if base in flow.terms} | others)
