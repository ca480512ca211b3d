"""Follows the interfaces of a bridge in Open vSwitch's database."""

import threading
from collections.abc import Callable
from typing import Any

import msgspec

from ovsnp.errors import SwitchError
from ovsnp.switch.location import Location
from ovsnp.switch.ovsdb import Database

_PAUSE = 1.0
"""The seconds between two attempts to reach the database."""


class InterfaceRow(msgspec.Struct, frozen=True):
    """An interface at one moment; the columns are those of ovs-vswitchd.conf.db(5)."""

    name: str
    type: str
    ofport: list[int]
    mac: list[str]
    mac_in_use: list[str]
    external_ids: dict[str, str]
    error: list[str]


class Interfaces(msgspec.Struct, frozen=True):
    """All interfaces of a bridge."""

    rows: tuple[InterfaceRow, ...]


class InterfacesUnknown(msgspec.Struct, frozen=True):
    """The interfaces may be out of date, and ``message`` says why; the watch goes on trying."""

    message: str


InterfacesEvent = Interfaces | InterfacesUnknown


def read_interfaces(database: Database, bridge: str) -> Interfaces:
    """The interfaces of a bridge now; raises SwitchError if there is no such bridge."""
    return Interfaces(tuple(sorted(map(_row, database.interfaces(bridge)), key=lambda row: row.name)))


def watch_interfaces(
    location: Location, bridge: str, tell: Callable[[InterfacesEvent], None], stop: threading.Event
) -> threading.Thread:
    """Start to hand the interfaces of a bridge, and every change of them, to ``tell``; returns the thread."""
    thread = threading.Thread(target=_Watch(location, bridge, tell, stop).run, name="watch interfaces", daemon=True)
    thread.start()
    return thread


class _Watch:
    def __init__(
        self, location: Location, bridge: str, tell: Callable[[InterfacesEvent], None], stop: threading.Event
    ) -> None:
        self._location, self._bridge = location, bridge
        self._tell, self._stop = tell, stop
        self._last: InterfacesEvent | None = None

    def run(self) -> None:
        """Watch until ``stop`` is set; whatever the database or a network does, an error ends nothing."""
        while not self._stop.is_set():
            try:
                with Database(self._location) as database:
                    for _ in database.changes(self._stop):
                        self._hand_on(self._read(database))
            except Exception as error:
                known = isinstance(error, SwitchError)
                what = error if known else f"internal error, please report it: {type(error).__name__}: {error}"
                self._hand_on(InterfacesUnknown(str(what)))
                self._stop.wait(_PAUSE)

    def _read(self, database: Database) -> InterfacesEvent:
        try:
            return read_interfaces(database, self._bridge)
        except SwitchError as error:
            return InterfacesUnknown(str(error))

    def _hand_on(self, event: InterfacesEvent) -> None:
        if event != self._last:
            self._last = event
            self._tell(event)


def _row(row: Any) -> InterfaceRow:
    return InterfaceRow(
        row.name,
        row.type,
        list(row.ofport),
        list(row.mac),
        list(row.mac_in_use),
        dict(row.external_ids),
        list(row.error),
    )
