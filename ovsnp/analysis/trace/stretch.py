"""The part of a path that is on one bridge."""

from collections.abc import Mapping

import msgspec

from ovsnp.analysis.trace.nodes import TracedNode
from ovsnp.analysis.trace.transcript import Pass, Visit, read_transcript
from ovsnp.model.address import Address, parse_address
from ovsnp.pipeline import fields as f
from ovsnp.pipeline.tables import TABLES
from ovsnp.switch.control import trace_packet

NO_ADDRESS = frozenset({"0.0.0.0", "::"})
"""The addresses that a trace prints for the family that the tunnel does not use."""

_TABLES = {table.id: table.name for table in TABLES}


def table_name(number: int) -> str:
    """The name of a table of ovsnp; ``table NUMBER`` for any other."""
    return _TABLES.get(number, f"table {number}")


class Stretch(msgspec.Struct, frozen=True):
    """The part of a path on one bridge: the packet that came in, and the output of `ofproto/trace`, also parsed."""

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
        """The port that the packet came in by."""
        return int(self.passes[0].before[f.IN_PORT.name])

    @property
    def sent(self) -> tuple[Visit, str] | None:
        """The last visit that sent the packet out of the bridge, and the port; None if none did."""
        named = {"IN_PORT": str(self.in_port)}
        out = [(visit, named.get(port, port)) for visit in self.visits for port in visit.outputs]
        return out[-1] if out else None

    @property
    def tunneled_to(self) -> Address | None:
        """The other end of the tunnel by which the packet left; None if it left by no tunnel."""
        if self.sent is None or self.sent[1] != str(self.node.ports.tunnel) or self.sent[0].failure:
            return None
        ends = (self.last.get(field.name, "::") for field in f.TUNNEL_DST.values())
        return next((parse_address(end) for end in ends if end not in NO_ADDRESS), None)

    def address(self, side: Mapping[int, f.Field]) -> Address:
        """The address that the packet has in the end; ``side`` is `IP_SRC` or `IP_DST`."""
        (found,) = (self.last[field.name] for field in side.values() if field.name in self.last)
        return parse_address(found)


def trace_over(node: TracedNode, packet: str) -> Stretch:
    """Run `ofproto/trace` for a packet on a node's bridge; raises SwitchError."""
    text = trace_packet(node.location, node.bridge, packet)
    return Stretch(node, packet, text, read_transcript(text))
