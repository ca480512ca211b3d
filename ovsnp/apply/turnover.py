"""Addresses that get another holder: closed with the new flows, forgotten by conntrack, recorded, opened."""

from ovsnp.apply.affinity import outdated
from ovsnp.apply.forget import Forgotten, forget
from ovsnp.apply.holders import changed, holders, record
from ovsnp.flows.program import Program
from ovsnp.lower.closed import closing_flows
from ovsnp.model.cluster import Cluster
from ovsnp.pipeline.tables import BY_NAME
from ovsnp.render import bundle_line, delete_line
from ovsnp.switch.conntrack import conntrack
from ovsnp.switch.datapath import Datapath, await_flows
from ovsnp.switch.dump import InstalledFlow, parse_dump
from ovsnp.switch.location import Location
from ovsnp.switch.ofctl import bundle, dump_flows
from ovsnp.switch.ovsdb import Database
from ovsnp.switch.record import read_record, write_record


class Turnover:
    """What changes hands from one `apply` to the next.

    ``closing`` are the lines for ``ovs-ofctl bundle`` that close the addresses; they belong into the transaction that
    brings the new flows, so that no packet meets the new flows and an old connection. Nothing where no holder changed.
    ``known`` says that the last holders are recorded; where they are not, all addresses get another one.
    """

    def __init__(self, location: Location, bridge: str, cluster: Cluster) -> None:
        self._location, self._bridge = location, bridge
        self._now = holders(cluster)
        self._changed = changed(read_record(location, bridge), self._now)
        self._flows = closing_flows(self._changed.addresses) if self._changed else ()
        self.known = self._changed.known
        self.closing = tuple(map(bundle_line, self._flows))

    def complete(self, database: Database, below: Datapath, program: Program, lock: int) -> Forgotten:
        """Have conntrack forget the last holders' connections, and open the addresses, which are closed.

        Raises SwitchError where connections are left; the addresses stay closed then.
        """
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
        """What Open vSwitch learned of the last holders, as clients and as endpoints."""
        if not any(frontend.affinity for frontend in program.frontends):
            return []
        dumped = dump_flows(self._location, self._bridge, BY_NAME["SessionAffinity"].id)
        return list(outdated(map(parse_dump, dumped), program, self._changed))
