"""Origin: each port may send only from its own addresses."""

from collections.abc import Iterator

from ovsnp.flows.action import Action, Goto, Move, SetField
from ovsnp.flows.flow import Flow
from ovsnp.flows.match import Match, Term, exactly, in_prefix, match_prefix
from ovsnp.flows.note import FlowNote, Purpose
from ovsnp.lower.address_resolution import SOLICITATION
from ovsnp.model.address import Prefix, family, host_prefix
from ovsnp.model.bridge import Bridge, LocalPod, RemoteNode
from ovsnp.model.options import Encap
from ovsnp.pipeline import fields as f
from ovsnp.pipeline import priorities as p
from ovsnp.pipeline import registers as r
from ovsnp.pipeline.carrier import MARKED, NO_CARRIER, offset_bits

_TAGGED = Term(f.VLAN_TCI, 0x1000, 0x1000)
_MULTICAST = Term(f.ETH_DST, 1 << 40, 1 << 40)
_ND_TYPES = range(133, 138)
_BY_GATEWAY = (SetField(r.ORIGIN, r.Origin.GATEWAY), Goto("SnatConntrack"))
_LINK_LOCAL = in_prefix(f.IPV6_SRC, 0xFE80 << 112, 10)


def flows(bridge: Bridge) -> Iterator[Flow]:
    """Admission of the gateway's packets, and drops of packets that no port may send."""
    port, note = exactly(f.IN_PORT, bridge.gateway.ofport), FlowNote(Purpose.BY_GATEWAY)
    for version in bridge.families:
        yield Flow("Origin", p.ACCEPT, Match(f.IP_KIND[version], (port,)), _BY_GATEWAY, note)
    asked = {4: Match("arp", (port, exactly(f.ARP_OP, 1))), 6: Match("icmp6", (port, SOLICITATION))}
    for version in bridge.families:
        yield _ask(note, asked[version])
    for address in bridge.gateways:
        match = match_prefix(f.IP_SRC, host_prefix(address), port)
        yield Flow("Origin", p.SOURCE_EXCEPTION, match, _BY_GATEWAY, note)
    by_tunnel = exactly(f.IN_PORT, bridge.tunnel)
    for prefix in (*bridge.pod_cidrs, *map(host_prefix, bridge.node.addresses if bridge.node else ())):
        yield _drop(p.SOURCE_GUARD, Purpose.OWN_NODE_BY_TUNNEL, match_prefix(f.IP_SRC, prefix, by_tunnel))
    for number in _ND_TYPES if 6 in bridge.families else ():
        terms = (exactly(f.ICMPV6_TYPE, number),)
        yield _drop(p.NEIGHBOR_GUARD, Purpose.NEIGHBOR_DISCOVERY, Match("icmp6", terms))
    yield _drop(p.VLAN_GUARD, Purpose.VLAN_TAGS, Match("", (_TAGGED,)))
    yield _drop(p.MULTICAST_GUARD, Purpose.MULTICAST, Match("", (_MULTICAST,)))
    yield _drop(p.MISS, Purpose.EVERYTHING_ELSE, Match())


def pod_sources(bridge: Bridge) -> Iterator[Flow]:
    """Drops of packets from pods' addresses that come in by the gateway."""
    port = exactly(f.IN_PORT, bridge.gateway.ofport)
    for cidr in bridge.pod_prefixes:
        yield _drop(p.SOURCE_GUARD, Purpose.POD_BY_GATEWAY, match_prefix(f.IP_SRC, cidr, port))


def _drop(priority: int, purpose: Purpose, match: Match) -> Flow:
    return Flow("Origin", priority, match, (), FlowNote(purpose))


def pod_flows(local: LocalPod, subject: int) -> Iterator[Flow]:
    """Admission of packets from a pod's own addresses; ``subject`` is its number for egress (0: not isolated)."""
    note = FlowNote(Purpose.POD, (local.pod.key,))
    accepted = (
        SetField(r.ORIGIN, r.Origin.POD),
        *((SetField(r.EGRESS_SUBJECT, subject),) if subject else ()),
        Goto("SnatConntrack"),
    )
    for address in local.pod.addresses:
        terms = (*_sender(local), exactly(f.IP_SRC[family(address)], int.from_bytes(address, "big")))
        yield Flow("Origin", p.ACCEPT, Match(f.IP_KIND[family(address)], terms), accepted, note)


def neighbor_flows(local: LocalPod) -> Iterator[Flow]:
    """Admission of a pod's ARP requests and neighbour solicitations."""
    note, sender = FlowNote(Purpose.POD, (local.pod.key,)), _sender(local)
    for address in local.pod.addresses:
        value = int.from_bytes(address, "big")
        if family(address) == 4:
            claim = (exactly(f.ARP_SPA, value), exactly(f.ARP_OP, 1), exactly(f.ARP_SHA, local.port.mac))
            yield _ask(note, Match("arp", (*sender, *claim)))
        else:
            for asker in (exactly(f.IPV6_SRC, value), _LINK_LOCAL):
                claim = (asker, SOLICITATION, exactly(f.ND_SLL, local.port.mac))
                yield _ask(note, Match("icmp6", (*sender, *claim)))


def _sender(local: LocalPod) -> tuple[Term, ...]:
    return exactly(f.IN_PORT, local.port.ofport), exactly(f.ETH_SRC, local.port.mac)


def _ask(note: FlowNote, match: Match) -> Flow:
    return Flow("Origin", p.NEIGHBOR, match, (Goto("AddressResolution"),), note)


def node_flows(node: RemoteNode, tunnel: int, encap: Encap) -> Iterator[Flow]:
    """Admission of packets that another node sends through the tunnel."""
    source = f.TUNNEL_SRC[family(node.tunnel_address)]
    sender = (exactly(source, int.from_bytes(node.tunnel_address, "big")), exactly(f.IN_PORT, tunnel))
    accepted = (SetField(r.ORIGIN, r.Origin.TUNNEL), SetField(r.ORIGIN_NODE, node.number))
    note, plain = FlowNote(Purpose.FROM_NODE, (node.name,)), Match("", (*sender, exactly(f.TUN_ID, NO_CARRIER)))
    yield Flow("Origin", p.CARRIER_ABSENT, plain, (*accepted, Goto("SnatConntrack")), note)
    note = FlowNote(Purpose.CARRIED_FROM_NODE, (node.name,))
    for cidr in node.pod_cidrs:
        terms, actions = _OPENED[encap](cidr)
        match = Match(f.IP_KIND[cidr.family], (*sender, *terms))
        actions = (*accepted, SetField(r.CARRIED, 1), *actions, Goto("SnatConntrack"))
        yield Flow("Origin", p.CARRIER, match, actions, note)


def _open_option(cidr: Prefix) -> tuple[tuple[Term, ...], tuple[Action, ...]]:
    """The terms and actions for the Geneve option with a pod's address.

    No flow matches a marked packet without the option, or with an address outside of the sender's pod CIDR. The mark
    distinguishes packets with the option from packets without. The kernel datapath cannot match that an option is
    absent: the megaflow of a packet without the option also takes packets with it, unless another field is different.
    """
    option, source = f.TUN_METADATA[cidr.family], r.CARRIED_SOURCE[cidr.family]
    return (exactly(f.TUN_ID, MARKED), in_prefix(option, cidr.value, cidr.length)), (Move(option, source),)


def _open_offset(cidr: Prefix) -> tuple[tuple[Term, ...], tuple[Action, ...]]:
    """The terms and actions for VXLAN's offset of a pod's address.

    No flow matches an offset that does not fit the sender's pod CIDR: such an offset is forged.
    """
    source, bits = r.CARRIED_SOURCE[cidr.family], offset_bits(cidr)
    fits = Term(f.TUN_ID, 0, f.TUN_ID.full_mask ^ ((1 << bits) - 1))
    return (fits,), (SetField(source, cidr.value), Move(f.TUN_ID.part(0, bits), source.part(0, bits)))


_OPENED = {Encap.GENEVE: _open_option, Encap.VXLAN: _open_offset}
