"""AddressResolution, NeighborAdvertisement: the bridge answers for every address, with the router's MAC.

So the pods and the node send every packet to the router, and only Forward decides where a packet goes. The bridge never
answers a pod or the node about its own address: the answer would look like a second holder (RFC 5227, RFC 4862).
"""

from collections.abc import Iterator

from ovsnp.flows.action import Goto, Move, Pop, Push, SetField, ToInPort
from ovsnp.flows.flow import Flow
from ovsnp.flows.match import Match, exactly
from ovsnp.flows.note import FlowNote, Purpose
from ovsnp.model.address import Address, family
from ovsnp.model.bridge import Bridge, LocalPod
from ovsnp.pipeline import fields as f
from ovsnp.pipeline import priorities as p
from ovsnp.pipeline import registers as r
from ovsnp.pipeline.ports import ROUTER_MAC

_REQUEST = exactly(f.ARP_OP, 1)
SOLICITATION = exactly(f.ICMPV6_TYPE, 135)
_ADVERTISEMENT = exactly(f.ICMPV6_TYPE, 136)
_TARGET_LINK_LAYER_ADDRESS = 2
_ROUTER_SOLICITED_OVERRIDE = 0b111


def pod_flows(local: LocalPod) -> Iterator[Flow]:
    """Drops of a pod's requests about its own addresses."""
    for address in local.pod.addresses:
        yield _silence(FlowNote(Purpose.OWN_ADDRESS, (local.pod.key,)), local.port.ofport, address)


def flows(bridge: Bridge) -> Iterator[Flow]:
    """Answers to ARP requests and neighbour solicitations."""
    for address in bridge.gateways:
        yield _silence(FlowNote(Purpose.GATEWAY_OWN_ADDRESS), bridge.gateway.ofport, address)
    if 4 in bridge.families:
        yield Flow("AddressResolution", p.ANSWER, Match("arp", (_REQUEST,)), _ARP_ANSWER, FlowNote(Purpose.ARP))
    if 6 in bridge.families:
        yield from _neighbor_discovery()


def _neighbor_discovery() -> Iterator[Flow]:
    note = FlowNote(Purpose.DUPLICATE_ADDRESS_DETECTION)
    unspecified = Match("icmp6", (SOLICITATION, exactly(f.IPV6_SRC, 0)))
    yield Flow("AddressResolution", p.OWN_ADDRESS, unspecified, (), note)
    note = FlowNote(Purpose.NEIGHBOR_SOLICITATION)
    solicitation = Match("icmp6", (SOLICITATION,))
    yield Flow("AddressResolution", p.ANSWER, solicitation, _ND_ANSWER, note)
    yield Flow("NeighborAdvertisement", p.ALWAYS, Match("icmp6", (_ADVERTISEMENT,)), _ND_COMPLETION)


def _silence(note: FlowNote, ofport: int, address: Address) -> Flow:
    port, value = exactly(f.IN_PORT, ofport), int.from_bytes(address, "big")
    if family(address) == 4:
        match = Match("arp", (port, exactly(f.ARP_TPA, value)))
    else:
        match = Match("icmp6", (port, SOLICITATION, exactly(f.ND_TARGET, value)))
    return Flow("AddressResolution", p.OWN_ADDRESS, match, (), note)


_ARP_ANSWER = (
    Move(f.ETH_SRC, f.ETH_DST),
    SetField(f.ETH_SRC, ROUTER_MAC),
    SetField(f.ARP_OP, 2),
    Move(f.ARP_SHA, f.ARP_THA),
    SetField(f.ARP_SHA, ROUTER_MAC),
    Push(f.ARP_TPA),
    Move(f.ARP_SPA, f.ARP_TPA),
    Pop(f.ARP_SPA),
    ToInPort(),
)

# Open vSwitch takes nd_tll only under a match on type 136, so the answer is made in two tables.
_ND_ANSWER = (SetField(f.ICMPV6_TYPE, 136), Goto("NeighborAdvertisement"))

# On the kernel datapath Open vSwitch refuses set_field of nd_options_type and nd_reserved, but it takes move.
_ND_COMPLETION = (
    Move(f.ETH_SRC, f.ETH_DST),
    SetField(f.ETH_SRC, ROUTER_MAC),
    Move(f.IPV6_SRC, f.IPV6_DST),
    Move(f.ND_TARGET, f.IPV6_SRC),
    SetField(r.ADVERTISED_OPTION, _TARGET_LINK_LAYER_ADDRESS),
    Move(r.ADVERTISED_OPTION, f.ND_OPTIONS_TYPE),
    SetField(r.ADVERTISED_FLAGS, _ROUTER_SOLICITED_OVERRIDE),
    Move(r.ADVERTISED_FLAGS, f.ND_RESERVED.part(29, 3)),
    SetField(f.ND_TLL, ROUTER_MAC),
    ToInPort(),
)
