"""Parses the text of ``ofproto/trace`` (ovs-vswitchd(8)): passes through the bridge, and the flows that match."""

import re
from collections.abc import Iterator, Mapping

import msgspec

_RULE = re.compile(r"^( *)(\d+)\. (.*)$")
_FLOW = re.compile(r"^(?:(.*), )?priority (\d+)(?:, cookie (0x[0-9a-f]+))?$")
_BRIDGE = re.compile(r'^bridge\("(.*)"\)$')
_REMARK = re.compile(r"^(?:->|>>+) ")
_OUTPUT_PORT = re.compile(r"^-> output port is (\d+)$")
_OUTPUT = re.compile(r"^output:(\d+)$")
_NO_MATCH = "No match."
_RECIRCULATED = "=" * 20
_AFTER = "Final flow: "
_INDENT = 4
_MISTAKEN = "Not tunneling to our own address"
"""The warning of a trace where a packet comes back from conntrack with the tunnel's end already set, as with
`--masquerade`: the trace takes this for the tunnel that the packet came by. A real packet comes back without the
tunnel's end, and is sent."""
_UNKNOWN_NEIGHBOR = "neighbor cache miss"


class Visit(msgspec.Struct, frozen=True):
    """A table that the packet met: the flow that matched there, or none.

    ``match`` is as ``ovs-ofctl`` writes it. ``depth`` is the number of lookups (``resubmit``) that lead to the table.
    ``actions`` are in the order of their execution; ``remarks`` are the lines of Open vSwitch about them.
    """

    bridge: str
    table: int
    depth: int
    found: bool
    match: str = ""
    priority: int = 0
    cookie: int = 0
    actions: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def drops(self) -> bool:
        """True if the flow drops the packet, with or without a report to the controllers."""
        return self.actions == ("drop",) or (len(self.actions) == 1 and self.reports)

    @property
    def reports(self) -> bool:
        """True if the bridge reports the packet to the controllers."""
        return any(line.startswith("controller(") for line in self.actions)

    @property
    def outputs(self) -> Iterator[str]:
        """The ports that the packet was sent out of: numbers, and names that have no number (``IN_PORT``)."""
        for line in (*self.actions, *self.remarks):
            if found := _OUTPUT.match(line) or _OUTPUT_PORT.match(line):
                yield found[1]
            elif line in ("IN_PORT", "NORMAL", "FLOOD", "ALL", "LOCAL") or line.startswith("CONTROLLER"):
                yield line

    @property
    def failure(self) -> str | None:
        """The reason, in Open vSwitch's words, why a packet that was sent did not leave the bridge; None: it left."""
        warnings = [line.lstrip("> ") for line in self.remarks if line.startswith(">>") and _MISTAKEN not in line]
        return next((line for line in warnings if "side effects" not in line), None)

    @property
    def unknown_neighbor(self) -> str | None:
        """The remark that the other end of a tunnel is not yet known on its network, in Open vSwitch's words."""
        return next((line.removeprefix("-> ") for line in self.remarks if _UNKNOWN_NEIGHBOR in line), None)


class Pass(msgspec.Struct, frozen=True):
    """A pass through the bridge: from its first table, or from the table where the packet came back from conntrack.

    ``before`` and ``after`` are the packet's fields by their names; kinds of packets (``tcp6``) are names without
    value.
    """

    before: Mapping[str, str]
    visits: tuple[Visit, ...]
    after: Mapping[str, str]


def read_transcript(text: str) -> tuple[Pass, ...]:
    """The passes in the order of the text; lines about anything else are left out."""
    sections: list[list[str]] = [[]]
    for line in text.splitlines():
        # A ruler stands before and after the words about a recirculation.
        if line.startswith(_RECIRCULATED):
            sections.append([])
        else:
            sections[-1].append(line)
    return tuple(_pass(lines) for lines in sections if any(line.startswith("Flow: ") for line in lines))


def _pass(lines: list[str]) -> Pass:
    before = next(read_fields(line.removeprefix("Flow: ")) for line in lines if line.startswith("Flow: "))
    last = next((line.removeprefix(_AFTER) for line in lines if line.startswith(_AFTER)), "unchanged")
    return Pass(before, tuple(_visits(lines)), before if last == "unchanged" else read_fields(last))


def read_fields(text: str) -> dict[str, str]:
    """A packet's fields by the names of ovs-fields(7); a kind of packet is a name without value."""
    return {name: value for name, _, value in (part.partition("=") for part in text.split(","))}


def _visits(lines: list[str]) -> Iterator[Visit]:
    bridge = ""
    found: list[tuple[Visit, list[str]]] = []
    ahead: list[tuple[int, list[str]]] = []
    for line in lines:
        column = (len(line) - len(line.lstrip())) // _INDENT * _INDENT
        if started := _BRIDGE.match(line):
            bridge, ahead = started[1], []
        elif line.startswith(_AFTER):
            break
        elif entered := _RULE.match(line):
            found.append((_visit(bridge, *entered.groups()), []))
            # A line that is further left than a table's own lines belongs to the table that looked it up.
            ahead = [(left, said) for left, said in ahead if left < column] + [(column, found[-1][1])]
        elif line.strip() and (open_ones := [said for left, said in ahead if left < column]):
            open_ones[-1].append(line.strip())
            ahead = [(left, said) for left, said in ahead if left < column]
    for visit, said in found:
        actions = tuple(line for line in said if not _REMARK.match(line))
        yield msgspec.structs.replace(visit, actions=actions, remarks=tuple(filter(_REMARK.match, said)))


def _visit(bridge: str, indent: str, table: str, rest: str) -> Visit:
    # A number below 10 has a space before it.
    depth = (len(indent) + len(table) - max(2, len(table))) // _INDENT
    found = _FLOW.match(rest)
    if found is None:
        return Visit(bridge, int(table), depth, found=rest != _NO_MATCH)
    match, priority, cookie = found.groups()
    return Visit(bridge, int(table), depth, True, match or "", int(priority), int(cookie or "0", 16))
