"""The steps of a path in words: each table that the packet met, and the effect and the rules of the flow there."""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from ovsnp.analysis.explain.reasons import BackendVerdict as Judged
from ovsnp.analysis.trace.stretch import Stretch, table_name
from ovsnp.analysis.trace.transcript import Pass, Visit
from ovsnp.analysis.trace.translation import Translation, translation
from ovsnp.analysis.trace.words import WORDS, TableVisit
from ovsnp.ir.ruleset import RuleRef
from ovsnp.pipeline.cookies import is_ours
from ovsnp.pipeline.tables import TABLES

_LEARNED = {name for table in TABLES for name in table.learns}
"""The tables whose flows Open vSwitch learns, so that no program has them."""


class TraceStep(msgspec.Struct, frozen=True):
    """A table that the packet met: its name, what happened there in words, and the rules that the flow serves.

    ``ours`` is False for a flow of the bridge that the manifests do not compile to, and that none of their flows
    learns. ``translated`` are the addresses and ports that conntrack wrote.
    """

    visit: Visit
    table: str
    words: str
    rules: tuple[RuleRef, ...] = ()
    ours: bool = True
    translated: Translation | None = None


def steps(stretch: Stretch, said: Judged | None) -> Iterator[TraceStep]:
    """The steps on one bridge; ``said`` is the oracle's verdict, which names the policies that isolate a pod."""
    for number, each in enumerate(stretch.passes):
        following = stretch.passes[number + 1] if number + 1 < len(stretch.passes) else None
        for visit in each.visits:
            yield _step(_Passing(stretch, each, following, said), visit)


class _Passing(NamedTuple):
    """The context of a visit: its bridge, its pass, the next pass, and the oracle's verdict."""

    stretch: Stretch
    within: Pass
    following: Pass | None
    said: Judged | None


def _step(around: _Passing, visit: Visit) -> TraceStep:
    if visit.bridge != around.stretch.node.bridge:
        return TraceStep(visit, f"table {visit.table} of {visit.bridge}", _foreign(visit))
    table, translated = table_name(visit.table), None
    if around.following and any(map(_translates, visit.actions)):
        translated = translation(around.within, around.following)
    flow = around.stretch.node.flow(visit)
    if visit.found and flow is None and (table not in _LEARNED or not is_ours(visit.cookie)):
        return TraceStep(visit, table, _unknown(visit), ours=False, translated=translated)
    if not visit.found and not visit.depth:
        return TraceStep(visit, table, "dropped: no flow matches")
    met = TableVisit(around.stretch, visit, flow, translated, around.said)
    words = WORDS[table](met) if table in WORDS else _foreign(visit)
    return TraceStep(visit, table, words, flow.rules if flow else (), True, translated)


def _translates(action: str) -> bool:
    return action.startswith("nat(")


def _foreign(visit: Visit) -> str:
    return ", ".join(visit.actions) or "no flow matches"


def _unknown(visit: Visit) -> str:
    if is_ours(visit.cookie):
        return f"OVSNP'S, BUT NOT OF THESE MANIFESTS AND OPTIONS: {_foreign(visit)}"
    return f"NOT OVSNP'S FLOW (cookie {visit.cookie:#x}): {_foreign(visit)}"
