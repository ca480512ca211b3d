"""The live connections of a node, with the pods of their ends, and the rules that admitted them."""

from collections.abc import Iterator, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from ovsnp.agent.traffic.drop_document import OpenedTo, TrafficEnd
from ovsnp.agent.traffic.flow_names import FlowNames, Numbered
from ovsnp.agent.traffic.object_names import ObjectNames
from ovsnp.model.address import Address, format_address, parse_address
from ovsnp.model.policy import Direction
from ovsnp.model.ports import Protocol
from ovsnp.pipeline.conntrack import ZONE
from ovsnp.pipeline.fields import Field
from ovsnp.pipeline.registers import (
    ADMITTED,
    ANSWERED,
    CARRIED_LABEL,
    EGRESS_RULE_LABEL,
    INGRESS_RULE_LABEL,
)
from ovsnp.switch.conntrack import Conntrack, Tracked, conntrack
from ovsnp.switch.datapath import datapath
from ovsnp.switch.location import Location
from ovsnp.switch.ovsdb import Database

_UNKNOWN = "rule {:#010x}, which this agent does not know"
_LABELS = {Direction.EGRESS: EGRESS_RULE_LABEL, Direction.INGRESS: INGRESS_RULE_LABEL}

_Rules = Annotated[
    Sequence[str] | None,
    Meta(description="the rules that admitted the connection; null: this node needed no rule for this end"),
]


class LiveConnection(msgspec.Struct, frozen=True):
    """A connection in the conntrack of a node.

    ``port`` is the destination port (null: the protocol has none, or the datapath does not keep it). ``via`` is the
    cluster IP that the connection was opened to. ``state`` is the state of TCP or SCTP in the words of the datapath
    (null: the protocol has none). ``expires`` is the number of seconds after which the datapath forgets the connection
    if no packet comes (null: it does not say). ``admitted`` is false while no policy has judged a packet to admit the
    connection; ``answered`` is true after the first answer.
    """

    source: TrafficEnd
    destination: TrafficEnd
    protocol: str
    source_port: int | None
    port: int | None
    via: OpenedTo | None
    state: str | None
    expires: int | None
    admitted: bool
    answered: bool
    egress: _Rules
    ingress: _Rules

    def __str__(self) -> str:
        port = f"{self.port}/{self.protocol}" if self.port else self.protocol
        via = f" (by {self.via})" if self.via else ""
        state = self.state.lower() if self.state else "answered" if self.answered else "not answered"
        return f"{self.source} to {self.destination}, {port}{via}: {state}{self._expiry}; {self._rules}"

    @property
    def _expiry(self) -> str:
        return "" if self.expires is None else f", ends after {self.expires} s without a packet"

    @property
    def _rules(self) -> str:
        if not self.admitted:
            return "not admitted"
        sides = ((name, rules) for name, rules in (("egress", self.egress), ("ingress", self.ingress)) if rules)
        return "; ".join(f"{name} by {', '.join(rules)}" for name, rules in sides) or "no rule was needed here"


class ConnectionsDocument(msgspec.Struct, frozen=True):
    """The connections of a node, sorted by their ends."""

    connections: Sequence[LiveConnection]


class LiveConnections:
    """Reads the connections of a bridge; may be called from any thread."""

    def __init__(self, location: Location, bridge: str, objects: ObjectNames, names: FlowNames) -> None:
        self._location, self._bridge = location, bridge
        self._objects, self._names = objects, names

    def read(self) -> ConnectionsDocument:
        """All connections of pods; raises SwitchError."""
        with Database(self._location) as database:
            below = datapath(self._location, database, self._bridge)
        with conntrack(self._location, self._bridge, below) as tracker:
            found = list(self._all(tracker))
        found.sort(key=lambda each: (str(each.source), str(each.destination), each.protocol, each.port or 0))
        return ConnectionsDocument(found)

    def _all(self, tracker: Conntrack) -> Iterator[LiveConnection]:
        for zone in ZONE.values():
            yield from map(self._connection, tracker.entries(zone))

    def _connection(self, tracked: Tracked) -> LiveConnection:
        label = tracked.label
        answering = tracked.answering_port
        return LiveConnection(
            self._objects.end_at(self._source(tracked)),
            self._objects.end_at(parse_address(tracked.answers)),
            tracked.protocol,
            tracked.source_port or None,
            answering or tracked.port or None,
            self._via(tracked),
            tracked.state or None,
            int(tracked.timeout) if tracked.timeout else None,
            bool(_bits(label, ADMITTED)),
            bool(_bits(label, ANSWERED)),
            *(self._rules(direction, _bits(label, field)) for direction, field in _LABELS.items()),
        )

    def _source(self, tracked: Tracked) -> Address:
        """The address of the client; a masqueraded client is known by the label, of an IPv4 address."""
        carried, source = _bits(tracked.label, CARRIED_LABEL), parse_address(tracked.source)
        return Address(carried.to_bytes(4, "big")) if carried and len(source) == 4 else source

    def _via(self, tracked: Tracked) -> OpenedTo | None:
        if (tracked.destination, tracked.port) == (tracked.answers, tracked.answering_port):
            return None
        address = parse_address(tracked.destination)
        known = tracked.protocol.upper() in list(Protocol) and tracked.port
        service = self._names.service_at(Protocol(tracked.protocol.upper()), address, tracked.port) if known else None
        return OpenedTo(format_address(address), tracked.port, service) if known else None

    def _rules(self, direction: Direction, number: int) -> tuple[str, ...] | None:
        if not number:
            return None
        return tuple(map(str, self._names.rules(Numbered(direction, number)))) or (_UNKNOWN.format(number),)


def _bits(label: int, field: Field) -> int:
    return label >> field.lsb & field.full_mask
