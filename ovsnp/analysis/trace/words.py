"""Says in words what happened in a table, with one function for each table."""

from collections.abc import Callable, Mapping

import msgspec

from ovsnp.analysis.explain.reasons import BackendVerdict as Judged
from ovsnp.analysis.explain.reasons import Reasons
from ovsnp.analysis.trace.judged import isolation
from ovsnp.analysis.trace.stretch import Stretch
from ovsnp.analysis.trace.transcript import Visit
from ovsnp.analysis.trace.translation import TUNNEL_RECEIVER, Translation, carried, written
from ovsnp.flows.flow import Flow
from ovsnp.flows.note import FlowNote, Purpose
from ovsnp.pipeline import priorities as p


class TableVisit(msgspec.Struct, frozen=True):
    """A visit of a table, with all that its words need."""

    stretch: Stretch
    visit: Visit
    flow: Flow | None
    translated: Translation | None
    said: Judged | None

    @property
    def note(self) -> FlowNote:
        """The purpose of the flow."""
        return self.flow.note if self.flow else FlowNote()

    @property
    def priority(self) -> int:
        """The priority of the flow; 0 if no flow matched."""
        return self.visit.priority if self.visit.found else 0

    @property
    def drops(self) -> bool:
        """True if the flow itself drops the packet."""
        return self.visit.drops

    @property
    def rules(self) -> str:
        """The rules that the flow serves."""
        return ", ".join(map(str, self.flow.rules)) if self.flow else ""


def _as_compiled(met: TableVisit) -> str:
    """The words that `compile` prints above the flow."""
    return f"dropped: {met.note}{_reported(met)}" if met.drops else str(met.note)


def _reported(met: TableVisit) -> str:
    return ", reported to the drop log" if met.visit.reports else ""


def _origin(met: TableVisit) -> str:
    if met.drops:
        return _as_compiled(met)
    match met.note.purpose:
        case Purpose.POD:
            return f"from {met.note}, by its own port and addresses"
        case Purpose.FROM_NODE:
            return f"through the tunnel {met.note}"
        case Purpose.CARRIED_FROM_NODE:
            return f"{met.note}: the tunnel header carries {carried(met.stretch)}"
        case _:
            return _as_compiled(met)


def _snat(met: TableVisit) -> str:
    return "to the gateway's address: perhaps an answer to it" if met.visit.match else "not to the gateway's address"


def _service(met: TableVisit) -> str:
    if met.priority == p.SERVICE_GUARD:
        return "through the tunnel: its endpoint was chosen where it came from"
    if met.drops:
        return _as_compiled(met)
    if met.priority != p.SERVICE:
        return "to no Service"
    return f"Service {met.note}{_endpoint(met)}"


def _endpoint(met: TableVisit) -> str:
    return f": given {met.translated.destination}" if met.translated else ""


def _kept(met: TableVisit) -> str:
    return "an endpoint is kept for this client" if met.visit.found else "no endpoint is kept for this client"


def _endpoint_table(met: TableVisit) -> str:
    return f"Service {met.note}{_endpoint(met) or ': given one of its endpoints'}"


def _destination_node(met: TableVisit) -> str:
    if met.priority != p.NODE:
        return "to no node"
    return f"to a node, {met.note}" if met.note.purpose is Purpose.JUDGED_NODE else "to a node"


def _judging(side: str, reasons: Callable[[Judged], Reasons]) -> Callable[[TableVisit], str]:
    """The words for Egress or Ingress; ``side`` is the end whose policies the table applies."""

    def words(met: TableVisit) -> str:
        who = (isolation(reasons(met.said)) if met.said else "") or f"the {side} is isolated"
        match met.note.purpose:
            case Purpose.NOT_ISOLATED:
                return f"the {side} is no isolated pod of this node"
            case Purpose.ISOLATED_CARRIED:
                return f"{who}, judged on {carried(met.stretch)}, which the tunnel header carries"
            case Purpose.ISOLATED | Purpose.ISOLATED_SERVICE:
                return who
            case _:
                return _as_compiled(met)

    return words


def _peer(side: str) -> Callable[[TableVisit], str]:
    def words(met: TableVisit) -> str:
        if not met.visit.found:
            return f"the {side} is in no peer set"
        return f"the {side} is in {met.note.named if met.note.purpose is Purpose.PEER else 'no set'}"

    return words


def _rule(met: TableVisit) -> str:
    if met.drops:
        return f"dropped: no rule admits it{_reported(met)}"
    return f"admitted by {met.rules}" if met.rules else str(met.note)


def _forward(met: TableVisit) -> str:
    if met.drops or met.note.purpose in (Purpose.TO_NODE, Purpose.BACK_TO_NODE):
        return _as_compiled(met)
    return f"to {met.note}"


def _source_node(met: TableVisit) -> str:
    return "from a node that always reaches pods" if met.visit.found else "from no such node"


def _output(met: TableVisit) -> str:
    if met.drops:
        return _as_compiled(met)
    source = f"; its source becomes {met.translated.source}" if met.translated else ""
    match met.note.purpose:
        case Purpose.CARRY:
            return f"{met.note}: the tunnel header carries {carried(met.stretch)}{source}"
        case Purpose.TABLE:
            return f"sent as it is{source}"
        case _:
            return f"{met.note}{source}"


def _send(met: TableVisit) -> str:
    stretch, out = met.stretch, next(iter(met.visit.outputs), "")
    number = stretch.in_port if out == "IN_PORT" else int(out or 0)
    name = stretch.node.port_name(number)
    if met.visit.failure:
        return f"NOT sent out of {name}: {met.visit.failure}"
    if number != stretch.node.ports.tunnel:
        return f"out of {name}"
    neighbor = f" ({met.visit.unknown_neighbor})" if met.visit.unknown_neighbor else ""
    return f"out of {name} to {written(stretch.last, TUNNEL_RECEIVER)}{neighbor}"


WORDS: Mapping[str, Callable[[TableVisit], str]] = {
    "Origin": _origin,
    "SnatConntrack": _snat,
    "Conntrack": lambda _: "asks conntrack: a new connection",
    "ConntrackState": _as_compiled,
    "Service": _service,
    "SessionAffinity": _kept,
    "Endpoint": _endpoint_table,
    "DestinationNode": _destination_node,
    "Egress": _judging("source", lambda said: said.egress),
    "EgressPeer": _peer("destination"),
    "EgressServicePeer": _peer("cluster IP"),
    "EgressRule": _rule,
    "Forward": _forward,
    "Ingress": _judging("destination", lambda said: said.ingress),
    "SourceNode": _source_node,
    "IngressPeer": _peer("source"),
    "IngressRule": _rule,
    "Commit": lambda _: "conntrack remembers the connection as admitted",
    "Output": _output,
    "Send": _send,
}
"""The words for each table, by name; the steps of any other table show the actions of the flow."""
