"""DestinationNode, SourceNode: the addresses of nodes, and whether a node and pods always reach each other."""

from collections.abc import Iterable, Iterator

from ovsnp.flows.action import Goto, SetField
from ovsnp.flows.flow import Flow
from ovsnp.flows.match import Match, match_prefix
from ovsnp.flows.note import FlowNote, Purpose
from ovsnp.model.address import Address, host_prefix
from ovsnp.model.bridge import Bridge, RemoteNode
from ovsnp.pipeline import fields as f
from ovsnp.pipeline import priorities as p
from ovsnp.pipeline import registers as r

_TO_NODE, _ONWARDS = SetField(r.TO_NODE, 1), Goto("Egress")


def flows(bridge: Bridge) -> Iterator[Flow]:
    """The addresses of the bridge's own node, and the flow by which all other packets go on."""
    if bridge.node:
        yield from _always((*bridge.node.addresses, *bridge.gateways))
    yield Flow("DestinationNode", p.MISS, Match(), (_ONWARDS,))


def node_flows(node: RemoteNode) -> Iterator[Flow]:
    """One flow for each address in each of the two tables; for a node that policy judges, in DestinationNode only."""
    if not node.judged:
        yield from _always(node.addresses)
        return
    for address in node.addresses:
        match = match_prefix(f.IP_DST, host_prefix(address))
        yield Flow("DestinationNode", p.NODE, match, (_TO_NODE, _ONWARDS), FlowNote(Purpose.JUDGED_NODE))


def _always(addresses: Iterable[Address]) -> Iterator[Flow]:
    for address in addresses:
        to, from_ = (match_prefix(side, host_prefix(address)) for side in (f.IP_DST, f.IP_SRC))
        yield Flow("DestinationNode", p.NODE, to, (_TO_NODE, SetField(r.EXEMPT, 1), _ONWARDS))
        yield Flow("SourceNode", p.NODE, from_, (SetField(r.FROM_NODE, 1),))
