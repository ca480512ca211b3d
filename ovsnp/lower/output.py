"""Output, Send: write the carrier, make the gateway's address the source, and send the packet out of its port."""

from collections.abc import Iterable, Iterator, Sequence

from ovsnp.errors import UsageError
from ovsnp.flows.action import Action, Goto, Move, Output, SetField, ToInPort, Translate
from ovsnp.flows.flow import Flow
from ovsnp.flows.match import Match, exactly
from ovsnp.flows.note import FlowNote, Purpose
from ovsnp.model.address import Address, Prefix, family, format_address
from ovsnp.model.bridge import Bridge, LocalPod
from ovsnp.model.options import Encap
from ovsnp.pipeline import fields as f
from ovsnp.pipeline import priorities as p
from ovsnp.pipeline import registers as r
from ovsnp.pipeline.carrier import MARKED, offset_bits
from ovsnp.pipeline.conntrack import SNAT_PORTS, SNAT_ZONE

_FORTH = exactly(r.SERVICE_BOUND, 1)


def flows(bridge: Bridge, encap: Encap, masquerade: bool) -> Iterator[Flow]:
    """The flows for packets whose output port is known."""
    for origin, port, purpose in (
        (r.Origin.TUNNEL, bridge.tunnel, Purpose.TUNNEL_TO_TUNNEL),
        (r.Origin.GATEWAY, bridge.gateway.ofport, Purpose.GATEWAY_TO_GATEWAY),
    ):
        match = Match("", (exactly(r.ORIGIN, origin), exactly(r.OUT_PORT, port)))
        yield Flow("Output", p.NO_RETURN, match, (), FlowNote(purpose))
    for version in bridge.families:
        yield from _service_bound(bridge, version, encap, masquerade)
    yield Flow("Output", p.MISS, Match(), (Goto("Send"),))
    yield Flow("Send", p.NO_RETURN, Match("", (exactly(r.HAIRPIN, 1),)), (ToInPort(),), FlowNote(Purpose.BACK_TO_POD))
    yield Flow("Send", p.DELIVER, Match(), (Output(r.OUT_PORT),))


def check_offsets(pods: Iterable[LocalPod], pod_cidrs: Sequence[Prefix]) -> None:
    """Raises UsageError, with all such addresses, if VXLAN cannot carry addresses of this node's pods.

    An offset that is cut to 24 bits would name another pod at the receiving node, and offset 0 means: no carrier.
    """
    cidrs = {cidr.family: cidr for cidr in reversed(pod_cidrs)}
    uncarried = [
        f"{local.pod.key} ({format_address(address)})"
        for local in pods
        for address in local.pod.addresses
        if (cidr := cidrs.get(family(address)))
        if not 0 < int.from_bytes(address, "big") - cidr.value < 1 << offset_bits(cidr)
    ]
    if uncarried:
        raise UsageError(
            "VXLAN carries a pod's address to Services' endpoints as one of the first 2^24 of its node's pod CIDR, and"
            f" these are none: {', '.join(uncarried)}; give them other addresses, or use --encap geneve"
        )


def pod_flows(local: LocalPod, gateways: Iterable[Address]) -> Iterator[Flow]:
    """A pod that reaches itself through a Service must answer to the bridge, so the source becomes the gateway's."""
    ofport = local.port.ofport
    same = (exactly(f.IN_PORT, ofport), exactly(r.OUT_PORT, ofport))
    note, back = FlowNote(Purpose.HAIRPIN, (local.pod.key,)), SetField(r.HAIRPIN, 1)
    for gateway in gateways:
        match = Match(f.IP_KIND[family(gateway)], (*same, _FORTH))
        yield Flow("Output", p.HAIRPIN_FORTH, match, (back, _from_gateway(gateway)), note)
    yield Flow("Output", p.HAIRPIN_BACK, Match("", same), (back, Goto("Send")), note)


def _from_gateway(gateway: Address) -> Translate:
    return Translate(SNAT_ZONE[family(gateway)], "Send", "src", gateway, SNAT_PORTS)


def _service_bound(bridge: Bridge, version: int, encap: Encap, masquerade: bool) -> Iterator[Flow]:
    cidr = next((cidr for cidr in bridge.pod_cidrs if cidr.family == version), None)
    if cidr is None:
        return
    leaving = (exactly(r.ORIGIN, r.Origin.POD), exactly(r.OUT_PORT, bridge.tunnel), _FORTH)
    match = Match(f.IP_KIND[version], leaving)
    onwards = _from_gateway(cidr.gateway) if masquerade else Goto("Send")
    carry = _CARRY[encap](cidr)
    yield Flow("Output", p.SERVICE_BOUND, match, (*carry, onwards), FlowNote(Purpose.CARRY))


def _carry_option(cidr: Prefix) -> tuple[Action, ...]:
    return SetField(f.TUN_ID, MARKED), Move(f.IP_SRC[cidr.family], f.TUN_METADATA[cidr.family])


def _carry_offset(cidr: Prefix) -> tuple[Action, ...]:
    bits = offset_bits(cidr)
    return (Move(f.IP_SRC[cidr.family].part(0, bits), f.TUN_ID.part(0, bits)),)


_CARRY = {Encap.GENEVE: _carry_option, Encap.VXLAN: _carry_offset}
