"""Finds the bits of registers and ``ct_label`` that matter, so that the simulator leaves out writes to all others.

A bit matters if a flow tests it, if it is pushed on the stack, if it names an output port, or if it is moved to a bit
that matters. The numbers of the rules that admit do not matter: they are for people who read ``ct_label``. Without
them, packets that different rules admit are one set.
"""

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from ovsnp.analysis.verification.simulator.actions import (
    Action,
    ParsedMove,
    ParsedOutput,
    ParsedPush,
    ParsedSet,
    ParsedTrack,
)
from ovsnp.analysis.verification.simulator.places import FieldBits, place_mask
from ovsnp.analysis.verification.simulator.reading import FlowDump, ReadFlow
from ovsnp.pipeline.registers import EGRESS_RULE_LABEL, INGRESS_RULE_LABEL

_RULES = sum(each.full_mask << each.lsb for each in (INGRESS_RULE_LABEL, EGRESS_RULE_LABEL))
_LABEL = place_mask("ct_label") & ~_RULES


class Relevance:
    """The bits that matter, by base: some bits of registers and ``ct_label``, all bits of other fields."""

    def __init__(self, bridge: FlowDump) -> None:
        lists = [flow.actions for flow in bridge.flows]
        lists += [bucket for group in bridge.groups.values() for bucket in group.buckets]
        actions = [action for each in lists for action in _with_memory(each)]
        self._masks: dict[str, int] = {"ct_label": _LABEL}
        for flow in bridge.flows:
            for base, (_, mask) in flow.terms.items():
                self._add(base, mask)
        for action in actions:
            match action:
                case ParsedPush(source=where) | ParsedOutput(port=FieldBits() as where):
                    self._add(where.base, where.mask)
        moves = {action for action in actions if isinstance(action, ParsedMove)}
        while left := [move for move in moves if self._matters(move.target.base, move.target.mask)]:
            moves.difference_update(left)
            for move in left:
                self._add(move.source.base, move.source.mask)

    def _add(self, base: str, mask: int) -> None:
        self._masks[base] = self._masks.get(base, 0) | mask

    def mask(self, base: str) -> int:
        """The bits of a base that matter; -1: all."""
        followed = base.startswith("xxreg") or base == "ct_label"
        return self._masks.get(base, 0) if followed else -1

    def _matters(self, base: str, mask: int) -> bool:
        return bool(self.mask(base) & mask)

    def only(self, flow: ReadFlow) -> ReadFlow:
        """The flow without the actions that only write bits that do not matter."""
        return replace(flow, actions=self._only(flow.actions))

    def _only(self, actions: Iterable[Action]) -> tuple[Action, ...]:
        return tuple(
            replace(action, memory=self._only(action.memory)) if isinstance(action, ParsedTrack) else action
            for action in actions
            if not self._is_idle(action)
        )

    def _is_idle(self, action: Action) -> bool:
        match action:
            case ParsedSet(base=base, mask=mask):
                return not self._matters(base, mask)
            case ParsedMove(target=target):
                return not self._matters(target.base, target.mask)
            case _:
                return False


def _with_memory(actions: Iterable[Action]) -> Iterator[Action]:
    for action in actions:
        yield action
        if isinstance(action, ParsedTrack):
            yield from action.memory
