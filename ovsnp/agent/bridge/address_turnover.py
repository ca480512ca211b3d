"""Opens addresses with a new holder as soon as conntrack has forgotten the last one, in a thread beside the loop."""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from ovsnp.apply.holders import ChangedHolders
from ovsnp.apply.turnover import Turnover
from ovsnp.errors import SwitchError
from ovsnp.flows.modification import AddFlow, DeleteFlow, Modification
from ovsnp.flows.program import Program
from ovsnp.lower.closed import closing_flows
from ovsnp.model.address import Address
from ovsnp.switch.datapath import Datapath
from ovsnp.switch.location import Location
from ovsnp.switch.lock import exclusive
from ovsnp.switch.openflow.commit import commit
from ovsnp.switch.openflow.connection import OpenFlow

Turned = Mapping[Address, str | None]
"""Addresses with a new holder; None: no holder."""

log = logging.getLogger("ovsnp.agent")


class Switch(NamedTuple):
    """A bridge over an open connection, and the datapath under it."""

    location: Location
    bridge: str
    openflow: OpenFlow
    below: Datapath


class AddressTurnover:
    """Closes addresses with the new flows, makes conntrack forget their last holders, records, and opens them.

    ``record`` keeps the new holders of opened addresses for the next start. ``failed`` is called, in the thread, when
    an error ends the thread; addresses that are closed then stay closed.
    """

    def __init__(self, switch: Switch, record: Callable[[Turned], None], failed: Callable[[SwitchError], None]) -> None:
        self._switch, self._record, self._failed = switch, record, failed
        self._affinity: Callable[[], Program] | None = None
        self._closed: dict[Address, str | None] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="address turnover", daemon=True)
        self._thread.start()

    def commit(
        self, wanted: Iterable[Modification], turned: Turned, affinity: Callable[[], Program] | None = None
    ) -> None:
        """Carry out modifications, and close these addresses in the same transaction. Raises SwitchError.

        ``affinity`` gives the program if a Service has sessionAffinity; the thread calls it.
        """
        with self._lock:
            commit(self._switch.openflow, [*wanted, *map(AddFlow, closing_flows(turned))])
            self._closed.update(turned)
            self._affinity = affinity
        if turned:
            self._wake.set()

    def stop(self) -> None:
        """End the thread, as soon as no address is closed; if the connection is closed, at once."""
        self._stopped = True
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._stopped or self._closed:
                self._wake.wait()
                self._wake.clear()
                self._turn_over()
        except SwitchError as error:
            self._failed(error)
        except Exception as error:  # the addresses that are closed must not stay so in silence
            self._failed(SwitchError(f"internal error, please report it: {type(error).__name__}: {error}"))

    def _turn_over(self) -> None:
        location, bridge, openflow, below = self._switch
        with self._lock:
            taken, self._closed = self._closed, {}
            affinity = self._affinity
        if not taken:
            return
        turnover = Turnover(location, bridge, ChangedHolders(frozenset(taken)), lambda each: commit(openflow, each))
        with exclusive(location, bridge) as lock:
            forgotten = turnover.forget(below, affinity, lock, waiting=False)
        if forgotten.connections:
            log.info("conntrack has forgotten %d connections of pods that are gone", forgotten.connections)
        with self._lock:
            ready = {address: holder for address, holder in taken.items() if address not in self._closed}
            self._record(ready)
            commit(openflow, map(DeleteFlow, closing_flows(ready)))
