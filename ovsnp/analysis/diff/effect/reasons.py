"""Finds the policies and rules that a gain or a loss comes from."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

import msgspec

from ovsnp.model.policy import Direction
from ovsnp.oracle import Side, Verdict


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


def reasons(before: Verdict, after: Verdict) -> Iterator[Reason]:
    """Why one of two verdicts allows and the other does not: the reasons of each side that changes."""
    sides = (
        (Direction.EGRESS, before.egress, after.egress),
        (Direction.INGRESS, before.ingress, after.ingress),
    )
    for direction, was, now in sides:
        if now.allowed and not was.allowed:
            yield from _of(direction, allowing=now, denying=was, gone=False)
        elif was.allowed and not now.allowed:
            yield from _of(direction, allowing=was, denying=now, gone=True)


def reason_now(verdict: Verdict, sides: Iterable[Direction]) -> Iterator[Reason]:
    """The reasons of these sides of one verdict: rules that admit or, where a side denies, policies that isolate."""
    judged = {Direction.EGRESS: verdict.egress, Direction.INGRESS: verdict.ingress}
    decided = [(direction, judged[direction]) for direction in sides if judged[direction].exempt is None]
    denying = [each for each in decided if not each[1].allowed]
    for direction, side in denying:
        yield from (Reason(policy.key, direction, None, False) for policy in side.isolated_by)
    for direction, side in decided if not denying else ():
        yield from (Reason(each.policy.key, direction, each.rule, False) for each in side.admitted_by)


def _of(direction: Direction, *, allowing: Side, denying: Side, gone: bool) -> Iterable[Reason]:
    """The reasons for a difference: the rules that admit or, where none is needed, the policies that isolate."""
    if allowing.isolated_by:
        return (Reason(each.policy.key, direction, each.rule, gone) for each in allowing.admitted_by)
    return (Reason(policy.key, direction, None, not gone) for policy in denying.isolated_by)
