"""Steps of a way in words: each table that was met, and what the flow there did and for whom."""

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
"""Tables whose flows Open vSwitch learns, so that no program has them."""


class TraceStep(msgspec.Struct, frozen=True):
    """A table that the packet met: its name, what happened there in words, and the rules that the flow is of.

    ``ours`` says whether the flow is one that the manifests compile to (or none was met). ``translated`` is what
    conntrack made of the packet's addresses.
    """

    visit: Visit
    table: str
    words: str
    rules: tuple[RuleRef, ...] = ()
    ours: bool = True
    translated: Translation | None = None


def steps(stretch: Stretch, said: Judged | None) -> Iterator[TraceStep]:
    """The steps over one bridge; ``said`` is the oracle's verdict, which knows who is isolated by which policies."""
    for number, each in enumerate(stretch.passes):
        following = stretch.passes[number + 1] if number + 1 < len(stretch.passes) else None
        for visit in each.visits:
            yield _step(_Passing(stretch, each, following, said), visit)


class _Passing(NamedTuple):
    """What is around a visit: its bridge, its pass and the one after, and the oracle's verdict."""

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
