"""Addresses with a new holder: closed with the new flows, forgotten by conntrack, recorded, opened."""

from ovsnp.apply.affinity import outdated
from ovsnp.apply.forget import Forgotten, forget
from ovsnp.apply.holders import Holders, changed, record
from ovsnp.flows.program import Program
from ovsnp.lower.closed import closing_flows
from ovsnp.pipeline.tables import BY_NAME
from ovsnp.render import bundle_line, delete_line
from ovsnp.switch.conntrack import conntrack
from ovsnp.switch.datapath import await_flows, datapath
from ovsnp.switch.dump import InstalledFlow, parse_dump
from ovsnp.switch.location import Location
from ovsnp.switch.ofctl import bundle, dump_flows
from ovsnp.switch.ovsdb import Database
from ovsnp.switch.record import read_record, write_record


class Turnover:
    """The addresses that have a new holder since the last `apply`; ``now`` are the holders.

    ``closing`` are the lines for ``ovs-ofctl bundle`` that close the addresses; empty if no holder has changed. They
    belong in the transaction with the new flows, so that no packet meets the new flows and an old connection. ``known``
    is true if the last holders are recorded; if not, all addresses count as changed.
    """

    def __init__(self, location: Location, bridge: str, now: Holders) -> None:
        self._location, self._bridge = location, bridge
        self._now = now
        self._changed = changed(read_record(location, bridge), self._now)
        self._flows = closing_flows(self._changed.addresses) if self._changed else ()
        self.known = self._changed.known
        self.closing = tuple(map(bundle_line, self._flows))

    def complete(self, database: Database, program: Program, lock: int) -> Forgotten:
        """Make conntrack forget the last holders' connections, and open the addresses, which must be closed.

        Raises SwitchError if connections are left; then the addresses stay closed.
        """
        below = datapath(self._location, database, self._bridge)
        touch = self.closing[:1]
        await_flows(self._location, database, below, lambda: bundle(self._location, self._bridge, [*touch], lock))
        with conntrack(self._location, self._bridge, below) as tracker:
            forgotten = forget(tracker, self._changed)
        if learned := self._learned(program):
            bundle(self._location, self._bridge, [flow.delete_line for flow in learned], lock)
        write_record(self._location, self._bridge, record(self._now))
        bundle(self._location, self._bridge, [*map(delete_line, self._flows)], lock)
        return forgotten

    def _learned(self, program: Program) -> list[InstalledFlow]:
        """The learned flows with a last holder as client or as endpoint."""
        if not any(frontend.affinity for frontend in program.frontends):
            return []
        dumped = dump_flows(self._location, self._bridge, BY_NAME["SessionAffinity"].id)
        return list(outdated(map(parse_dump, dumped), program, self._changed))
