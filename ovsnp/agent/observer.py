"""What an agent tells of its work while it works."""

from collections.abc import Iterator
from contextlib import contextmanager

from ovsnp.agent.report import AgentReport
from ovsnp.apply.plan import BridgePlan
from ovsnp.flows.changes import FlowChanges
from ovsnp.kubernetes.events import WatchEvent


class AgentObserver:
    """Takes what an agent tells, and does nothing with it. The drop log calls `drops_lost`, the loop all else."""

    def received(self, event: WatchEvent) -> None:
        """An event of a watch is taken."""

    @contextmanager
    def transaction(self, changes: FlowChanges) -> Iterator[None]:
        """The context in which these changes are carried out; it ends with the error if Open vSwitch refuses them."""
        yield

    def brought(self, plan: BridgePlan) -> None:
        """The bridge was read, and these differences to the program are carried out."""

    def failed(self) -> None:
        """The bridge must be read again."""

    def confirmed(self) -> None:
        """Open vSwitch has confirmed the flows of all events that were taken."""

    def drops_lost(self, count: int) -> None:
        """Packets were dropped without a report; the thread of the drop log calls this."""

    def reported(self, report: AgentReport) -> None:
        """The report of the agent is a new one."""
