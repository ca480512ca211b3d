"""The end of a packet that a policy or a guard drops: silent, or with a report for the drop log."""

from ovsnp.flows.action import Action, ToController
from ovsnp.model.options import Options
from ovsnp.pipeline.drop_log import MAX_LEN, METER, DropReason

Denial = tuple[Action, ...]
"""Actions that send a packet nowhere but, perhaps, to the controllers."""


def denial(options: Options, reason: DropReason) -> Denial:
    """The actions of a flow that drops packets for a reason."""
    return (ToController(bytes([reason]), MAX_LEN, METER),) if options.log_drops else ()
