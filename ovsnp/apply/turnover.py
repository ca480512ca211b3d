"""Addresses with a new holder: closed with the new flows, forgotten by conntrack, recorded, opened."""

from collections.abc import Callable, Sequence

from ovsnp.apply.affinity import outdated
from ovsnp.apply.forget import Forgotten, forget
from ovsnp.apply.holders import ChangedHolders
from ovsnp.flows.modification import AddFlow, DeleteFlow, Modification
from ovsnp.flows.program import Program
from ovsnp.lower.closed import closing_flows
from ovsnp.pipeline.tables import BY_NAME
from ovsnp.switch.conntrack import conntrack
from ovsnp.switch.datapath import Datapath, await_flows
from ovsnp.switch.dump import InstalledFlow, parse_dump
from ovsnp.switch.location import Location
from ovsnp.switch.ofctl import bundle, dump_flows

CarryOut = Callable[[Sequence[Modification]], None]
"""Carries out modifications in one atomic transaction; raises SwitchError."""


class Turnover:
    """The addresses that have a new holder.

    ``closing`` are the modifications that close the addresses; empty if no holder has changed. They belong in the
    transaction with the new flows, so that no packet meets the new flows and an old connection.
    """

    def __init__(self, location: Location, bridge: str, changed: ChangedHolders, carry_out: CarryOut) -> None:
        self._location, self._bridge = location, bridge
        self._changed = changed
        self._carry_out = carry_out
        self._flows = closing_flows(changed.addresses) if changed else ()
        self.closing = tuple(map(AddFlow, self._flows))

    def forget(self, below: Datapath, affinity: Callable[[], Program] | None, lock: int, *, waiting: bool) -> Forgotten:
        """Make conntrack forget the last holders' connections; the addresses must be closed.

        ``affinity`` gives the program if a Service has sessionAffinity, ``waiting`` is true while Open vSwitch waits
        for flows after a restart. Raises SwitchError if connections are left; then the addresses must stay closed.
        """
        await_flows(self._location, below, lambda: self._carry_out(self.closing[:1]), waiting=waiting)
        with conntrack(self._location, self._bridge, below) as tracker:
            forgotten = forget(tracker, self._changed)
        if affinity and (learned := self._learned(affinity)):
            bundle(self._location, self._bridge, [flow.delete_line for flow in learned], lock)
        return forgotten

    def open(self) -> None:
        """Open the addresses, when the new holders are recorded."""
        self._carry_out([*map(DeleteFlow, self._flows)])

    def _learned(self, affinity: Callable[[], Program]) -> list[InstalledFlow]:
        """The learned flows with a last holder as client or as endpoint."""
        learned = [*map(parse_dump, dump_flows(self._location, self._bridge, BY_NAME["SessionAffinity"].id))]
        return list(outdated(learned, affinity(), self._changed)) if learned else []
