"""DestinationNode, SourceNode: the addresses of nodes, and which of these always reach pods and are reached."""

from collections.abc import Iterator

from ovsnp.flows.action import Goto, SetField
from ovsnp.flows.flow import Flow
from ovsnp.flows.match import Match, of_addresses
from ovsnp.model.address import host_prefix
from ovsnp.model.bridge import Bridge
from ovsnp.pipeline import fields as f
from ovsnp.pipeline import priorities as p
from ovsnp.pipeline import registers as r


def flows(bridge: Bridge) -> Iterator[Flow]:
    """One flow an address in each of the two tables; a node that policy judges is known as a destination only."""
    to_node, exempt, onwards = SetField(r.TO_NODE, 1), SetField(r.EXEMPT, 1), Goto("Egress")
    for address in bridge.always:
        yield Flow("DestinationNode", p.NODE, of_addresses(f.IP_DST, host_prefix(address)), (to_node, exempt, onwards))
        yield Flow("SourceNode", p.NODE, of_addresses(f.IP_SRC, host_prefix(address)), (SetField(r.FROM_NODE, 1),))
    for address in bridge.judged:
        yield Flow(
            "DestinationNode",
            p.NODE,
            of_addresses(f.IP_DST, host_prefix(address)),
            (to_node, onwards),
            "judged as its address",
        )
    yield Flow("DestinationNode", p.MISS, Match(), (onwards,))
