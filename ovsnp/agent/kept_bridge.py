"""The bridge that an agent keeps: brought to a program once, and then changed with every change of the program."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ovsnp.agent.foreign_changes import ForeignChanges
from ovsnp.apply.cut import cut_by
from ovsnp.apply.forget import Forgotten
from ovsnp.apply.holders import ChangedHolders, Holders, record, record_changes
from ovsnp.apply.synchronise import Synchronised, complete, cut_endpoints, synchronise
from ovsnp.apply.turnover import Turnover
from ovsnp.errors import SwitchError
from ovsnp.flows.changes import FlowChanges
from ovsnp.flows.modification import Modification, modifications
from ovsnp.flows.program import Program
from ovsnp.model.address import Address
from ovsnp.model.options import Options
from ovsnp.pipeline.ports import GATEWAY_PORT, TUNNEL_PORT
from ovsnp.switch.datapath import Datapath, datapath
from ovsnp.switch.location import Location
from ovsnp.switch.lock import exclusive
from ovsnp.switch.openflow.commit import commit
from ovsnp.switch.openflow.connection import OpenFlow
from ovsnp.switch.openflow.monitor import watch_flows
from ovsnp.switch.ovsdb import Database
from ovsnp.switch.record import append_record, write_record
from ovsnp.switch.watch_ports import Interfaces

_LONGEST_RECORD = 4 << 20
"""The bytes appended to the record of the holders after which it is written anew."""


class KeptBridge:
    """The bridge of this node as `bring` has made it, over one open connection.

    ``steps`` are the steps on the bridge itself, in words; ``brought`` are the changes of flows and groups. After an
    error of `change` the content of the bridge is unknown: close this one, and bring the bridge again.
    """

    def __init__(
        self, switch: "Switch", openflow: OpenFlow, below: Datapath, steps: Sequence[str], brought: Synchronised
    ) -> None:
        self.steps = tuple(steps)
        self.brought = brought
        self._switch, self._openflow, self._below = switch, openflow, below
        self._appended = 0

    def change(
        self,
        changes: FlowChanges,
        turned: Mapping[Address, str | None],
        holders: Holders,
        affinity: Callable[[], Program] | None,
    ) -> Forgotten:
        """Carry out the changes of a program; returns the connections that conntrack had to forget.

        ``turned`` are the addresses with a new holder (None: no holder), ``holders`` are all holders, and ``affinity``
        gives the program if a Service has sessionAffinity. Raises SwitchError.
        """
        location, bridge = self._switch
        with exclusive(location, bridge) as lock:
            turnover = Turnover(location, bridge, ChangedHolders(frozenset(turned)), self._commit)
            self._commit([*modifications(changes), *turnover.closing])
            forgotten = Forgotten()
            if gone := cut_by(changes.frontends_before, changes.frontends_after):
                forgotten += cut_endpoints(location, bridge, self._below, gone)
            if turned:
                forgotten += turnover.complete(
                    self._below, affinity, lambda: self._record(turned, holders), lock, waiting=False
                )
        return forgotten

    def require_ports(self, interfaces: Interfaces) -> None:
        """Raise SwitchError if somebody has removed the tunnel or the gateway from the bridge."""
        missing = {TUNNEL_PORT, GATEWAY_PORT} - {row.name for row in interfaces.rows}
        if missing:
            raise SwitchError(f"bridge {self._switch.bridge} has no port {' and '.join(sorted(missing))} any more")

    def close(self) -> None:
        """End the connection; the flows stay."""
        self._openflow.close()

    def _commit(self, wanted: Sequence[Modification]) -> None:
        commit(self._openflow, wanted)

    def _record(self, turned: Mapping[Address, str | None], holders: Holders) -> None:
        content = record_changes(turned)
        self._appended += len(content)
        if self._appended > _LONGEST_RECORD:
            self._appended = 0
            write_record(*self._switch, record(holders))
        else:
            append_record(*self._switch, content)


class Switch(NamedTuple):
    """A bridge of one Open vSwitch."""

    location: Location
    bridge: str


def bring(
    location: Location,
    options: Options,
    compile_for: Callable[[Database], Program],
    holders: Holders,
    *,
    ended: Callable[[], None],
    changed: Callable[[str], None],
) -> KeptBridge:
    """Give the bridge what it lacks, and change it to exactly a program; flows that stay are not touched.

    ``compile_for`` makes the program when the bridge has its ports. In a thread of the connection, ``ended`` is called
    when the connection ends, and ``changed`` when another program has changed flows. Raises SwitchError.
    """
    with exclusive(location, options.bridge) as lock, Database(location) as database:
        steps = complete(location, database, options, lock)
        # The connection comes first: if ovs-vswitchd ends while its flows are read, `ended` is called.
        openflow = OpenFlow(location, options.bridge, unasked=ForeignChanges(changed).take, ended=ended)
        try:
            program = compile_for(database)
            brought = synchronise(location, database, options.bridge, program, holders, lock)
            watch_flows(openflow)
            below = datapath(location, database, options.bridge)
        except BaseException:
            openflow.close()
            raise
    return KeptBridge(Switch(location, options.bridge), openflow, below, steps, brought)
