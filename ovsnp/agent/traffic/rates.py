"""Rates: the difference of two readings of the counters."""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ovsnp.agent.traffic.flow_counts import CountsDocument

_Rate = Annotated[float, Meta(ge=0)]


class RuleRate(msgspec.Struct, frozen=True):
    """The packets that a rule has admitted in a second."""

    rule: str
    per_second: _Rate


class DropRate(msgspec.Struct, frozen=True):
    """The packets to (ingress) or from (egress) some pods that policies have dropped in a second."""

    direction: Literal["egress", "ingress"]
    pods: Sequence[str]
    per_second: _Rate


class RatesDocument(msgspec.Struct, frozen=True):
    """The rates over ``seconds``, the highest first; rules and pods without packets are left out."""

    seconds: float
    admitted: Sequence[RuleRate]
    dropped: Sequence[DropRate]


def rates(before: CountsDocument, after: CountsDocument) -> RatesDocument:
    """The rates between two readings; a counter that began again counts from 0."""
    seconds = max(after.seconds - before.seconds, 1e-3)
    rules = {each.rule: each.packets for each in before.admitted}
    pods = {(each.direction, *each.pods): each.packets for each in before.dropped}
    admitted = [RuleRate(each.rule, _rate(rules.get(each.rule, 0), each.packets, seconds)) for each in after.admitted]
    dropped = [
        DropRate(each.direction, each.pods, _rate(pods.get((each.direction, *each.pods), 0), each.packets, seconds))
        for each in after.dropped
    ]
    return RatesDocument(
        seconds,
        sorted((each for each in admitted if each.per_second), key=lambda each: (-each.per_second, each.rule)),
        sorted((each for each in dropped if each.per_second), key=lambda each: (-each.per_second, each.pods)),
    )


def _rate(before: int, after: int, seconds: float) -> float:
    return round((after - before if after >= before else after) / seconds, 3)
