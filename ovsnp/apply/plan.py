"""What has to change on a bridge: the difference between the flows that are there and those of a program."""

from collections.abc import Iterable

import msgspec

from ovsnp.errors import SwitchError
from ovsnp.flows.flow import Flow
from ovsnp.pipeline.cookies import is_ours
from ovsnp.switch.dump import InstalledFlow


class Plan(msgspec.Struct, frozen=True):
    """The flows to add, to give other actions, to put in another's place, and to delete.

    ``changed`` keep their cookie, so their counters go on; ``replaced`` have another rule's.
    """

    added: tuple[Flow, ...]
    changed: tuple[Flow, ...]
    replaced: tuple[Flow, ...]
    deleted: tuple[InstalledFlow, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.replaced or self.deleted)


def plan(installed: Iterable[InstalledFlow], wanted: Iterable[Flow]) -> Plan:
    """Compare flows by table, priority and match; others' flows are not touched.

    Raises SwitchError where one of them stands in the very place of one of ours.
    """
    there = {flow.slot: flow for flow in installed}
    added, changed, replaced = [], [], []
    for flow in wanted:
        table, priority, match = flow.slot
        found = there.pop((table, priority, frozenset(match.split(",")) - {""}), None)
        if found is None:
            added.append(flow)
        elif not is_ours(found.cookie):
            raise SwitchError(
                f"a flow that is not ovsnp's stands in the place of one of its own, and nothing was changed:"
                f" {found.text}; remove it, or give it another priority"
            )
        elif found.cookie != flow.cookie:
            replaced.append(flow)
        elif found.actions != flow.actions_text:
            changed.append(flow)
    deleted = tuple(flow for flow in there.values() if is_ours(flow.cookie))
    return Plan(tuple(added), tuple(changed), tuple(replaced), deleted)
