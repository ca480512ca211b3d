"""DestinationNode, SourceNode: the addresses of the nodes that pods always reach, and that always reach pods."""

from collections.abc import Iterator

from ovsnp.flows.action import Goto, SetField
from ovsnp.flows.flow import Flow
from ovsnp.flows.match import Match, exactly
from ovsnp.model.address import family
from ovsnp.model.bridge import Bridge
from ovsnp.pipeline import fields as f
from ovsnp.pipeline import priorities as p
from ovsnp.pipeline import registers as r


def flows(bridge: Bridge) -> Iterator[Flow]:
    """One flow an address in each of the two tables."""
    for address in bridge.always:
        version, value = family(address), int.from_bytes(address, "big")
        kind = f.IP_KIND[version]
        destination = Match(kind, (exactly(f.IP_DST[version], value),))
        yield Flow("DestinationNode", p.NODE, destination, (SetField(r.TO_NODE, 1), Goto("Egress")))
        yield Flow("SourceNode", p.NODE, Match(kind, (exactly(f.IP_SRC[version], value),)), (SetField(r.FROM_NODE, 1),))
    yield Flow("DestinationNode", p.MISS, Match(), (Goto("Egress"),))
