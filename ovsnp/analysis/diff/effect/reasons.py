"""Finds the policies and rules that a gain or a loss comes from."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

import msgspec

from ovsnp.analysis.diff.effect.ends import ComparedEnd
from ovsnp.model.policy import Direction
from ovsnp.oracle import Verdict
from ovsnp.oracle.classes import TrafficClass
from ovsnp.oracle.relation import Relation
from ovsnp.oracle.rulebook import CompiledRule


class Reason(msgspec.Struct, frozen=True):
    """A rule that admits (``rule`` is its index), or a policy that isolates (None); ``gone``: it no longer does."""

    policy: str
    direction: Direction
    rule: int | None
    gone: bool

    @property
    def order(self) -> tuple[str, str, int, bool]:
        """The key to sort by."""
        return self.policy, self.direction, -1 if self.rule is None else self.rule, self.gone


_SHOWN = 3


def reason_words(found: Iterable[Reason]) -> str:
    """The reasons in words, by kind; of more than four of a kind, three and the number of the others."""
    alike: dict[str, list[str]] = defaultdict(list)
    for each in found:
        section = each.direction.section
        if each.rule is not None:
            alike["no longer {}" if each.gone else "{}"].append(f"{each.policy} {section}[{each.rule}]")
        else:
            alike[f"{'no longer ' if each.gone else ''}isolated for {section} by {{}}"].append(each.policy)
    return "; ".join(words.format(_listed(names)) for words, names in sorted(alike.items()))


def _listed(names: list[str]) -> str:
    if len(names) <= _SHOWN + 1:
        return ", ".join(names)
    return f"{', '.join(names[:_SHOWN])} and {len(names) - _SHOWN} more"


class ChangeReasons:
    """Why policies allow something else after a change than before, for ends of two relations with the same classes."""

    def __init__(self, old: Relation, new: Relation) -> None:
        self._old, self._new = old, new
        self._naming: dict[tuple[Relation, Direction, tuple[int, ...], int], list[CompiledRule]] = {}

    def of(self, source: ComparedEnd, destination: ComparedEnd, traffic: Iterable[TrafficClass]) -> Iterator[Reason]:
        """The reasons of each side that changes for some of the traffic."""
        asked = sum(1 << each.number for each in traffic)
        ends = source.number, destination.number
        for direction, near, far in ((Direction.EGRESS, *ends), (Direction.INGRESS, ends[1], ends[0])):
            was, now = (each.side(direction, near).of(far) for each in (self._old, self._new))
            if more := asked & now & ~was:
                yield from self._of(direction, ends, more, allowing=self._new, denying=self._old)
            if less := asked & was & ~now:
                yield from self._of(direction, ends, less, allowing=self._old, denying=self._new)

    def _of(
        self, direction: Direction, ends: tuple[int, int], traffic: int, *, allowing: Relation, denying: Relation
    ) -> Iterator[Reason]:
        """The rules that admit some of the traffic or, where none is needed, the policies that isolate."""
        gone = allowing is self._old
        near, far = ends if direction is Direction.EGRESS else ends[::-1]
        isolating = allowing.rules.isolating(direction, near)
        if not isolating:
            for policy in denying.rules.isolating(direction, near):
                yield Reason(policy.key, direction, None, not gone)
            return
        key = allowing, direction, tuple(map(id, isolating)), far
        if key not in self._naming:
            self._naming[key] = allowing.naming(direction, near, far)
        for facts in self._naming[key]:
            if allowing.rules.ports_at(facts, ends[1]) & traffic:
                yield Reason(facts.admission.policy.key, direction, facts.admission.rule, gone)


def reason_now(verdict: Verdict, sides: Iterable[Direction]) -> Iterator[Reason]:
    """The reasons of these sides of one verdict: rules that admit or, where a side denies, policies that isolate."""
    judged = {Direction.EGRESS: verdict.egress, Direction.INGRESS: verdict.ingress}
    decided = [(direction, judged[direction]) for direction in sides if judged[direction].exempt is None]
    denying = [each for each in decided if not each[1].allowed]
    for direction, side in denying:
        yield from (Reason(policy.key, direction, None, False) for policy in side.isolated_by)
    for direction, side in decided if not denying else ():
        yield from (Reason(each.policy.key, direction, each.rule, False) for each in side.admitted_by)
