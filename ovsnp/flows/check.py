"""Checks flows against the declaration of the pipeline before they reach a bridge.

Open vSwitch accepts many wrong flows, and silently makes them match more. A flow that the declaration does not allow
is a mistake in the compiler, so the check raises DeclarationError.
"""

from functools import lru_cache

from ovsnp.errors import DeclarationError
from ovsnp.flows import action as a
from ovsnp.flows.flow import Flow
from ovsnp.flows.match import Match
from ovsnp.pipeline.datapath import MATCHING, OLDEST, SETTING, TRACKING, Feature
from ovsnp.pipeline.drop_log import METER
from ovsnp.pipeline.fields import IP_KINDS, KINDS, Field
from ovsnp.pipeline.tables import BY_NAME, Table

_TRACKERS = (a.Track, a.Commit, a.Translate)
_LAST = (a.Goto, a.Track, a.Translate, a.ToGroup)


def check_flow(flow: Flow) -> Flow:
    """Return the flow; raises DeclarationError if the flow's table does not allow the match or one of the actions."""
    try:
        table = BY_NAME[flow.table]
        _check_match(table, flow.match)
        _check_actions(table, flow)
    except (DeclarationError, KeyError) as error:
        raise DeclarationError(f"{flow.table}, priority {flow.priority}, {flow.match}: {error}") from error
    return flow


def _check_match(table: Table, match: Match) -> None:
    if match.kind and match.kind not in KINDS:
        raise DeclarationError(f"no such kind of packet: {match.kind}")
    seen = set()
    for field, value, mask in match.terms:
        if field.declared not in table.matches:
            raise DeclarationError(f"the table does not match {field.name}")
        if field in seen:
            raise DeclarationError(f"{field.name} is matched twice")
        if not 0 <= value <= field.full_mask or not 0 <= mask <= field.full_mask or value & ~mask:
            raise DeclarationError(f"{value:#x}/{mask:#x} does not fit {field.name}")
        _check_kind(field, match.kind)
        _check_datapath(f"matches {field.name}", MATCHING.get(field.base))
        if lacking := [other.name for other in field.needs if other not in {term.field for term in match.terms}]:
            raise DeclarationError(f"{field.name} needs {' and '.join(lacking)}")
        seen.add(field)


def _check_kind(field: Field, kind: str) -> None:
    if field.kinds and kind not in field.kinds:
        raise DeclarationError(f"{field.name} needs one of {', '.join(sorted(field.kinds))}")


def _check_datapath(does: str, needed: Feature | None) -> None:
    if needed and needed not in OLDEST:
        raise DeclarationError(f"not every datapath {does}: {needed} (ovs-appctl dpif/show-dp-features)")


def _check_actions(table: Table, flow: Flow) -> None:
    for action in flow.actions:
        _check_action(table.name, flow.match.kind, action)
        for feature in TRACKING if isinstance(action, _TRACKERS) else ():
            _check_datapath("tracks connections", feature)
    if len(flow.actions) < 2:
        return
    for action in flow.actions[:-1]:
        if isinstance(action, _LAST):
            raise DeclarationError(f"nothing comes after {action}")
    types = {*map(type, flow.actions)}
    if a.Conjunction in types and len(types) > 1:
        raise DeclarationError("conjunctions stand alone")
    if a.ToController in types:
        raise DeclarationError("a packet that the bridge reports goes nowhere else")


@lru_cache(maxsize=10_000)
def _check_action(name: str, kind: str, action: a.Action) -> None:
    """Check an action in a table, for one kind of packets; cached, as a changed flow has most of its actions again."""
    table = BY_NAME[name]
    match action:
        case a.Conjunction(id=number, clause=clause, clauses=clauses):
            if not table.conjunctive or not 0 < number < 1 << 32 or not 1 <= clause <= clauses or clauses < 2:
                raise DeclarationError(f"{action} is impossible here")
        case a.SetField(field=field, value=value):
            _check_set(table, kind, field)
            _check_datapath(f"sets {field.name}", SETTING.get(field.base))
            if not 0 <= value <= field.full_mask:
                raise DeclarationError(f"{value:#x} does not fit {field.name}")
        case a.Move(source=source, target=target):
            _check_kind(source, kind)
            _check_set(table, kind, target)
            if source.bits != target.bits:
                raise DeclarationError(f"{action}: {source.bits} bits into {target.bits}")
        case a.Push(field=field):
            _check_kind(field, kind)
        case a.Pop(field=field):
            _check_set(table, kind, field)
        case a.DecTtl():
            if kind not in IP_KINDS:
                raise DeclarationError("dec_ttl needs an IP packet")
        case a.Commit(memory=memory):
            for write in memory:
                _check_action(name, kind, write)
        case a.Goto(table=other) | a.Track(table=other) | a.Translate(table=other):
            if other not in table.next or BY_NAME[other].id <= table.id:
                raise DeclarationError(f"the table does not go on to {other}")
        case a.Lookup(table=other):
            if other not in table.lookups:
                raise DeclarationError(f"the table does not look up {other}")
        case a.Learn(table=other, idle_timeout=seconds, then=then):
            if other not in table.learns or not 0 < seconds < 1 << 16:
                raise DeclarationError(f"{action} is impossible here")
            _check_set(table, kind, then.field)
        case a.Output() | a.ToInPort():
            if not table.outputs:
                raise DeclarationError("the table does not output")
        case a.ToController(userdata=userdata, max_len=length, meter=meter):
            if not table.reports or not userdata or not 0 < length < 0xFFFF or meter != METER:
                raise DeclarationError(f"{action} is impossible here")


def _check_set(table: Table, kind: str, field: Field) -> None:
    if field.declared not in table.sets:
        raise DeclarationError(f"the table does not set {field.name}")
    _check_kind(field, kind)
