"""How packets that must pass leave: the port, and the values of header fields, those of the tunnel included."""

from collections.abc import Mapping, Sequence

from ovsnp.analysis.verification.expectation.next_hops import NextHop
from ovsnp.analysis.verification.expectation.proof_context import DESTINATION, SOURCE, TTL, ProofContext
from ovsnp.analysis.verification.packet_classes.addresses import PeerClass
from ovsnp.analysis.verification.simulator.places import OPTION_BITS
from ovsnp.analysis.verification.simulator.space import Space, Value
from ovsnp.model.address import Prefix, family
from ovsnp.model.options import Encap
from ovsnp.pipeline.carrier import MARKED, offset_bits
from ovsnp.pipeline.ports import ROUTER_MAC

Leaves = Mapping[str, Value]


def leaving(context: ProofContext, space: Space, dimension: int, ways: Sequence[NextHop | None]) -> dict[str, Value]:
    """How packets leave that are not translated: with the same addresses, and a TTL one less."""
    start = space.fields()
    return {
        **leaving_to(context, space, dimension, ways),
        DESTINATION[context.version]: start[DESTINATION[context.version]],
    }


def leaving_to(context: ProofContext, space: Space, dimension: int, ways: Sequence[NextHop | None]) -> dict[str, Value]:
    """How packets leave whose destination is translated: the same, without the destination."""
    known = [way or NextHop(0, 0) for way in ways]
    start = space.fields()
    return {
        "port": space.column(dimension, tuple(way.port for way in known)),
        "dl_src": ROUTER_MAC,
        "dl_dst": space.column(dimension, tuple(way.mac for way in known)),
        **_tunnel(space, dimension, known),
        "nw_ttl": TTL - 1,
        SOURCE[context.version]: start[SOURCE[context.version]],
        "tp_dst": start.get("tp_dst", 0),
    }


def leaving_by(way: NextHop) -> dict[str, Value]:
    """How packets leave that all go to one next hop, whatever their addresses."""
    return {
        "port": way.port,
        "dl_src": ROUTER_MAC,
        "dl_dst": way.mac,
        "tun_dst": 0,
        "tun_ipv6_dst": 0,
        "nw_ttl": TTL - 1,
    }


def _tunnel(space: Space, dimension: int, ways: Sequence[NextHop]) -> dict[str, Value]:
    """The destinations of tunnels; 0 for packets that leave by none."""
    ends = [way.tunnel for way in ways]
    return {
        name: space.column(
            dimension, tuple(int.from_bytes(end, "big") if end and family(end) == version else 0 for end in ends)
        )
        for version, name in ((4, "tun_dst"), (6, "tun_ipv6_dst"))
    }


NO_CARRIER: Leaves = {"tun_id": 0, "tun_metadata0": 0, "tun_metadata1": 0}
"""The values of the carrier's fields in packets without a carrier."""


def carrying(context: ProofContext, space: Space, dimension: int, sources: Sequence[PeerClass]) -> Leaves:
    """Fields of a local pod's Service-bound packets to another node: the carrier, and if masqueraded the source."""
    node, version, options = context.expect.node, context.version, context.expect.options
    cidr = next((each for each in (node.pod_cidrs if node else ()) if each.family == version), None)
    if cidr is None:
        return NO_CARRIER
    name = carrier_field(context)
    found = {**NO_CARRIER, "tun_id": MARKED}
    found[name] = space.column(dimension, tuple(_carried(context, cidr, each.value) for each in sources))
    if options.masquerade:
        found[SOURCE[version]] = int.from_bytes(cidr.gateway, "big")
    return found


def _carried(context: ProofContext, cidr: Prefix, address: int) -> int:
    if context.expect.options.encap is Encap.VXLAN:
        return address & ((1 << offset_bits(cidr)) - 1)
    return option(address)


def carrier_field(context: ProofContext) -> str:
    """The tunnel header's field that carries a source pod's address."""
    if context.expect.options.encap is Encap.VXLAN:
        return "tun_id"
    return "tun_metadata0" if context.version == 4 else "tun_metadata1"


def option(address: int) -> int:
    """The value of a Geneve option that holds an address."""
    return address | 1 << OPTION_BITS
