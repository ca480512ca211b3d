"""The way over one bridge."""

from collections.abc import Mapping

import msgspec

from ovsnp.analysis.trace.nodes import TracedNode
from ovsnp.analysis.trace.transcript import Pass, Visit, read_transcript
from ovsnp.model.address import Address, parse_address
from ovsnp.pipeline import fields as f
from ovsnp.pipeline.tables import TABLES
from ovsnp.switch.control import trace_packet

NO_ADDRESS = frozenset({"0.0.0.0", "::"})
"""What a trace has of the family that a tunnel is not of."""

_TABLES = {table.id: table.name for table in TABLES}


def table_name(number: int) -> str:
    """A table of ours by its name, another by its number."""
    return _TABLES.get(number, f"table {number}")


class Stretch(msgspec.Struct, frozen=True):
    """The way over one bridge: the packet that was put in, and what `ofproto/trace` said of it."""

    node: TracedNode
    packet: str
    text: str
    passes: tuple[Pass, ...]

    @property
    def visits(self) -> tuple[Visit, ...]:
        """The tables of the bridge itself that the packet met, in order."""
        return tuple(visit for each in self.passes for visit in each.visits if visit.bridge == self.node.bridge)

    @property
    def last(self) -> Mapping[str, str]:
        """The packet's fields at the end."""
        return self.passes[-1].after

    @property
    def in_port(self) -> int:
        """The port it came in by."""
        return int(self.passes[0].before[f.IN_PORT.name])

    @property
    def sent(self) -> tuple[Visit, str] | None:
        """Where it was sent out of the bridge, and by which port; of several the last."""
        named = {"IN_PORT": str(self.in_port)}
        out = [(visit, named.get(port, port)) for visit in self.visits for port in visit.outputs]
        return out[-1] if out else None

    @property
    def tunneled_to(self) -> Address | None:
        """The other end of the tunnel by which the packet left; None if it did not."""
        if self.sent is None or self.sent[1] != str(self.node.ports.tunnel) or self.sent[0].failure:
            return None
        ends = (self.last.get(field.name, "::") for field in f.TUNNEL_DST.values())
        return next((parse_address(end) for end in ends if end not in NO_ADDRESS), None)

    def address(self, side: Mapping[int, f.Field]) -> Address:
        """An address that the packet has in the end: `IP_SRC` or `IP_DST`."""
        (found,) = (self.last[field.name] for field in side.values() if field.name in self.last)
        return parse_address(found)


def trace_over(node: TracedNode, packet: str) -> Stretch:
    """Put a packet into a node's bridge, as `ofproto/trace` does; raises SwitchError."""
    text = trace_packet(node.location, node.bridge, packet)
    return Stretch(node, packet, text, read_transcript(text))
