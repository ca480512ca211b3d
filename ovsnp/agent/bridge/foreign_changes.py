"""Notices that another program has changed flows, groups or the meter of the drop log."""

from collections.abc import Callable

from ovsnp.errors import SwitchError
from ovsnp.pipeline import priorities as p
from ovsnp.pipeline.drop_log import METER
from ovsnp.pipeline.tables import BY_NAME, TABLES
from ovsnp.switch.openflow.connection import OpenFlow
from ovsnp.switch.openflow.forwarded import forwarded_request, watch_requests
from ovsnp.switch.openflow.message import Message, MessageType
from ovsnp.switch.openflow.monitor import FlowEvent, FlowEventKind, flow_events, watch_flows

_NAMES = {table.id: table.name for table in TABLES}
_LEARNED = BY_NAME["SessionAffinity"].id, p.KEPT_ENDPOINT
"""The table and priority of the flows that Open vSwitch itself learns, and removes when their time is over."""

_METERS = METER, 0xFFFFFFFF
"""The number of the meter, and the number that stands for all meters."""

_NEXT = "ovsnp reads the bridge again"


def watch_foreign_changes(connection: OpenFlow) -> None:
    """Ask for the messages that `ForeignChanges` takes; ``unasked`` of the connection gets them. Raises SwitchError."""
    watch_flows(connection)
    watch_requests(connection)


class ForeignChanges:
    """Takes the messages of `watch_foreign_changes`, and calls ``tell`` at the first change by others.

    Open vSwitch does not describe the changes that come by the connection itself. After the first change the bridge is
    read again as a whole, by a new connection, so more sentences would say nothing new.
    """

    def __init__(self, tell: Callable[[SwitchError], None]) -> None:
        self._tell = tell
        self._told = False

    def take(self, message: Message) -> None:
        """Take one message, of any type; returns at once, and raises nothing."""
        if self._told:
            return
        try:
            said = _sentence(message)
        except SwitchError as error:
            said = f"Open vSwitch tells of a change in an unknown way: {error}"
        if said:
            self._told = True
            self._tell(SwitchError(said))


def _sentence(message: Message) -> str | None:
    if request := forwarded_request(message):
        if request.type == MessageType.GROUP_MOD:
            return f"another program has changed groups; {_NEXT}"
        # Meters of other programs may change all the time, and mean nothing to these flows.
        return f"another program has changed the meter of the drop log; {_NEXT}" if request.number in _METERS else None
    event = next(filter(_is_foreign, flow_events(message)), None)
    if event is None:
        return None
    if event.kind is FlowEventKind.PAUSED:
        return f"another program has changed many flows; {_NEXT}"
    table = _NAMES.get(event.table, event.table)
    return f"another program has {event.kind.name.lower()} a flow of table {table}; {_NEXT}"


def _is_foreign(event: FlowEvent) -> bool:
    return event.kind is FlowEventKind.PAUSED or (event.table, event.priority) != _LEARNED
