"""The bridge that an agent keeps: brought to a program once, and then changed with every change of the program."""

from collections.abc import Callable, Sequence

from ovsnp.agent.bridge.address_turnover import AddressTurnover, Switch, Turned
from ovsnp.agent.bridge.foreign_changes import ForeignChanges, watch_foreign_changes
from ovsnp.agent.bridge.fragment_watch import FragmentWatch
from ovsnp.apply.cut import among, cut_by
from ovsnp.apply.holders import Holders, record, record_changes
from ovsnp.apply.synchronise import Synchronised, complete, cut_endpoints, plan_for, synchronise
from ovsnp.errors import SwitchError
from ovsnp.flows.changes import FlowChanges
from ovsnp.flows.modification import modifications
from ovsnp.flows.program import Program
from ovsnp.model.changes import keep
from ovsnp.model.options import Options
from ovsnp.pipeline.ports import GATEWAY_PORT, TUNNEL_PORT
from ovsnp.switch.datapath import datapath
from ovsnp.switch.location import Location
from ovsnp.switch.lock import exclusive
from ovsnp.switch.openflow.connection import OpenFlow
from ovsnp.switch.ovsdb import Database
from ovsnp.switch.record import append_record, write_record
from ovsnp.switch.watch_ports import Interfaces

_CHANGED = "another program has changed the bridge meanwhile; ovsnp reads the bridge again"
_ENDED = "ovs-vswitchd has ended the OpenFlow connection"

_LONGEST_RECORD = 4 << 20
"""The bytes appended to the record of the holders after which it is written anew."""


class KeptBridge:
    """The bridge of this node as `bring` has made it, over one open connection.

    ``switch`` is the bridge with its connection. ``steps`` are the steps on the bridge itself, in words; ``brought``
    are the changes of flows and groups. After an
    error of `change`, or a call of ``failed``, the content of the bridge is unknown: close this one, and bring the
    bridge again. ``holders`` are the holders of all addresses now.
    """

    def __init__(
        self,
        switch: Switch,
        holders: Holders,
        steps: Sequence[str],
        brought: Synchronised,
        failed: Callable[[SwitchError], None],
    ) -> None:
        self.steps = tuple(steps)
        self.brought = brought
        self.switch, self._recorded = switch, dict(holders)
        self._turnover = AddressTurnover(switch, self._record, failed)
        self._fragments = FragmentWatch(switch.openflow, failed)
        self._appended = 0

    def change(self, changes: FlowChanges, turned: Turned, affinity: Callable[[], Program] | None) -> None:
        """Carry out the changes of a program. Raises SwitchError.

        ``turned`` are the addresses with a new holder: they stay closed until conntrack has forgotten the last one, a
        few milliseconds later. ``affinity`` gives the program if a Service has sessionAffinity; a thread calls it.
        """
        location, bridge, _, below = self.switch
        self._turnover.commit(modifications(changes), turned, affinity)
        if gone := cut_by(changes.frontends_before, changes.frontends_after):
            cut_endpoints(location, bridge, below, among(gone))

    def finish(self) -> None:
        """Open the addresses that are closed, and end the connection; the flows stay."""
        self._fragments.stop()
        self._turnover.stop()
        self.switch.openflow.close()

    def require_ports(self, interfaces: Interfaces) -> None:
        """Raise SwitchError if somebody has removed the tunnel or the gateway from the bridge."""
        missing = {TUNNEL_PORT, GATEWAY_PORT} - {row.name for row in interfaces.rows}
        if missing:
            raise SwitchError(f"bridge {self.switch.bridge} has no port {' and '.join(sorted(missing))} any more")

    def close(self) -> None:
        """End the connection at once; the flows stay, and addresses that are closed stay closed."""
        self._fragments.stop()
        self.switch.openflow.close()
        self._turnover.stop()

    def _record(self, turned: Turned) -> None:
        location, bridge, _, _ = self.switch
        keep(self._recorded, turned)
        content = record_changes(turned)
        self._appended += len(content)
        if self._appended > _LONGEST_RECORD or not append_record(location, bridge, content):
            self._appended = 0
            write_record(location, bridge, record(self._recorded))


def bring(
    location: Location,
    options: Options,
    compile_for: Callable[[Database], Program],
    holders: Holders,
    failed: Callable[[SwitchError], None],
) -> KeptBridge:
    """Give the bridge what it lacks, and change it to exactly a program; flows that stay are not touched.

    ``compile_for`` makes the program when the bridge has its ports. ``failed`` is called, in another thread, when the
    connection ends, another program has changed the bridge, or an address cannot be opened. Raises SwitchError.
    """
    with exclusive(location, options.bridge) as lock, Database(location) as database:
        steps = complete(location, database, options, lock)
        # The connection comes first: if ovs-vswitchd ends while its flows are read, `failed` is called.
        openflow = OpenFlow(
            location,
            options.bridge,
            unasked=ForeignChanges(failed).take,
            ended=lambda: failed(SwitchError(_ENDED)),
        )
        try:
            program = compile_for(database)
            change = plan_for(location, options.bridge, program)
            brought = synchronise(location, database, options.bridge, program, change, holders, lock)
            watch_foreign_changes(openflow)
            if plan_for(location, options.bridge, program):  # a change between the reading and the watch tells nobody
                raise SwitchError(_CHANGED)
            below = datapath(location, database, options.bridge)
        except BaseException:
            openflow.close()
            raise
    return KeptBridge(Switch(location, options.bridge, openflow, below), holders, steps, brought, failed)
