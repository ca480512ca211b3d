"""A connection to Open vSwitch's database (ovs-vswitchd.conf.db(5)), through python-ovs."""

import os
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self

from ovs import jsonrpc, poller, stream, vlog
from ovs.db import idl

from ovsnp.errors import SwitchError
from ovsnp.switch.location import Location
from ovsnp.switch.patience import Patience
from ovsnp.switch.rpc import ask

_COLUMNS = {
    "Open_vSwitch": ["bridges", "next_cfg", "cur_cfg", "other_config"],
    "Bridge": ["name", "ports", "protocols", "fail_mode", "flow_tables", "datapath_type"],
    "Flow_Table": ["name", "prefixes"],
    "Port": ["name", "interfaces"],
    "Interface": ["name", "type", "options", "ofport", "ofport_request", "mac", "mac_in_use", "external_ids", "error"],
}
_TIMEOUT = 10.0
_GLANCE = 500
"""The milliseconds after which `Database.changes` looks whether it shall end."""

_SILENT = "its database does not answer"


class Database:
    """The rows of one Open vSwitch; rows are objects of python-ovs, with the columns as attributes.

    For use in a ``with`` statement. Every method raises SwitchError if no answer comes within ten seconds.
    """

    def __init__(self, location: Location) -> None:
        self._location = location

    def __enter__(self) -> Self:
        vlog.Vlog.set_level("console", "any", "off")
        helper = idl.SchemaHelper(schema_json=self._schema())
        for table, columns in _COLUMNS.items():
            helper.register_columns(table, columns)
        self._idl = idl.Idl(self._location.database, helper, leader_only=False)
        try:
            self.wait_until(lambda: bool(self._idl.has_ever_connected()), _SILENT)
        except BaseException:
            self._idl.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._idl.close()

    def _schema(self) -> Any:
        error, connected = stream.Stream.open_block(
            stream.Stream.open(self._location.database), timeout=int(_TIMEOUT * 1000)
        )
        if error:
            raise SwitchError(
                f"Open vSwitch's database cannot be reached at {self._location.database}: {os.strerror(error)};"
                " is ovsdb-server running, and is --db right?"
            )
        connection = jsonrpc.Connection(connected)
        try:
            return ask(connection, "get_schema", "Open_vSwitch", patience=_TIMEOUT)
        except SwitchError as error:
            raise SwitchError(
                f"Open vSwitch's database at {self._location.database} does not answer: {error}"
            ) from None
        finally:
            connection.close()

    def rows(self, table: str) -> Iterator[Any]:
        """All rows of a table."""
        return iter(self._idl.tables[table].rows.values())

    def bridge(self, name: str) -> Any:
        """The row of a bridge; raises SwitchError if there is none."""
        for row in self.rows("Bridge"):
            if row.name == name:
                return row
        names = ", ".join(sorted(row.name for row in self.rows("Bridge"))) or "none"
        raise SwitchError(
            f"bridge {name} does not exist (bridges: {names}); create it (ovs-vsctl add-br {name}), or name another"
            " with --bridge"
        )

    def interfaces(self, bridge: str) -> Iterator[Any]:
        """The interfaces of the ports of a bridge."""
        for port in self.bridge(bridge).ports:
            yield from port.interfaces

    def change(self, make: Callable[[idl.Transaction], None]) -> None:
        """Carry out one transaction, and wait until ovs-vswitchd has applied it; raises SwitchError.

        If the database goes away before it answers, it is unknown whether the transaction was carried out.
        """
        (root,) = self.rows("Open_vSwitch")
        transaction = idl.Transaction(self._idl)
        make(transaction)
        # Incremented, not set: other clients may increment it at the same time.
        root.increment("next_cfg")
        transaction.commit()  # python-ovs cannot read updates before the first commit
        self.wait_until(lambda: transaction.commit() != idl.Transaction.INCOMPLETE, _SILENT)
        if (status := transaction.commit()) != idl.Transaction.SUCCESS:
            raise SwitchError(f"the database refused a change: {transaction.get_error() or status}")
        target = transaction.get_increment_new_value()
        self.wait_until(lambda: root.cur_cfg >= target, "ovs-vswitchd does not answer; is it running?")

    def changes(self, stop: threading.Event) -> Iterator[None]:
        """Yield now, and again after each change of the rows, until ``stop`` is set.

        While the database is away, the rows are the last that it had; python-ovs connects again.
        """
        seen = None
        while not stop.is_set():
            self._idl.run()
            if self._idl.change_seqno != seen:
                seen = self._idl.change_seqno
                yield
            waiting = poller.Poller()
            self._idl.wait(waiting)
            waiting.timer_wait(_GLANCE)
            waiting.block()

    def wait_until(self, reached: Callable[[], bool], otherwise: str) -> None:
        """Read updates of the database until a condition holds; raises SwitchError after ten seconds of waiting."""
        patience = Patience(_TIMEOUT)
        while True:
            self._idl.run()
            if reached():
                return
            if patience.over:
                raise SwitchError(f"Open vSwitch at {self._location.database}: {otherwise}")
            waiting = poller.Poller()
            self._idl.wait(waiting)
            patience.block(waiting)
