"""Notices that another program has changed flows of the bridge."""

from collections.abc import Callable

from ovsnp.errors import SwitchError
from ovsnp.pipeline import priorities as p
from ovsnp.pipeline.tables import BY_NAME, TABLES
from ovsnp.switch.openflow.message import Message
from ovsnp.switch.openflow.monitor import FlowEvent, FlowEventKind, flow_events

_NAMES = {table.id: table.name for table in TABLES}
_LEARNED = BY_NAME["SessionAffinity"].id, p.KEPT_ENDPOINT
"""The table and priority of the flows that Open vSwitch itself learns, and removes when their time is over."""


class ForeignChanges:
    """Takes the messages of `watch_flows`, and calls ``tell`` at the first change by others.

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
            event = next(filter(_is_foreign, flow_events(message)), None)
            said = event and _sentence(event)
        except SwitchError as error:
            said = f"Open vSwitch tells of changed flows in an unknown way: {error}"
        if said:
            self._told = True
            self._tell(SwitchError(said))


def _is_foreign(event: FlowEvent) -> bool:
    return event.kind is FlowEventKind.PAUSED or (event.table, event.priority) != _LEARNED


def _sentence(event: FlowEvent) -> str:
    if event.kind is FlowEventKind.PAUSED:
        return "another program has changed many flows; ovsnp reads the bridge again"
    table = _NAMES.get(event.table, event.table)
    return f"another program has {event.kind.name.lower()} a flow of table {table}; ovsnp reads the bridge again"
