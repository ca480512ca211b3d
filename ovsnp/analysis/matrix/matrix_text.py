"""The matrix as text: for each source the ports and the destinations, all ports first."""

import textwrap
from collections import defaultdict
from collections.abc import Iterator

from ovsnp.analysis.matrix.view import View
from ovsnp.analysis.reach.parties import Party, PartyKind
from ovsnp.analysis.wording.listing import Audience, by_start, others, shortened, start_of
from ovsnp.analysis.wording.traffics import ALL, NONE
from ovsnp.oracle import Exemption

_GAP = "  "
_NARROWEST = 20
"""The narrowest last column that is wrapped: a narrower one would be long and hard to read."""
_HEAD = ("FROM", "PORTS", "TO")
_OWN = {PartyKind.POD: "its own node", PartyKind.NODE: "its own pods"}
Line = tuple[str, str, str]


def text_lines(view: View, width: int | None = None) -> Iterator[str]:
    """A table; a source has a line for each answer, or several lines where an answer must fit ``width`` columns."""
    audiences = _Audiences(view)
    found = [_HEAD, *(line for source in view.sources for line in _of_source(view, source, audiences.of(source)))]
    widths = [max(len(line[column]) for line in found) for column in (0, 1)]
    room = width - sum(widths) - 2 * len(_GAP) if width else 0
    for source, ports, names in found:
        first, *more = _wrapped(names, room)
        yield f"{source:{widths[0]}}{_GAP}{ports:{widths[1]}}{_GAP}{first}"
        yield from (f"{'':{widths[0]}}{_GAP}{'':{widths[1]}}{_GAP}{part}" for part in more)


def _wrapped(names: str, room: int) -> list[str]:
    if room < _NARROWEST:
        return [names]
    return textwrap.wrap(names, room, break_long_words=False, break_on_hyphens=False) or [names]


class _Audiences:
    """The names that a source could reach without policies: not itself, and no party without a common family."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._known: dict[object, Audience] = {}

    def of(self, source: Party) -> Audience:
        """The names in order; a workload of several pods is in its own audience: one pod may reach another."""
        key = source.kind is PartyKind.POD, tuple(source.classes)
        if key not in self._known:
            self._known[key] = by_start(each.name for each in self._view.destinations if _may_meet(source, each))
        there, start = self._known[key], start_of(source.name)
        if not source.lone or source.name not in there.get(start, ()):
            return there
        return {**there, start: [name for name in there[start] if name != source.name]}


def _may_meet(source: Party, destination: Party) -> bool:
    if PartyKind.POD not in (source.kind, destination.kind):
        return False
    return any(version in destination.classes for version in source.classes)


def _of_source(view: View, source: Party, audience: Audience) -> Iterator[Line]:
    answers: dict[str, list[str]] = defaultdict(list)
    own_node = itself = None
    for shown in view.shown(source):
        if shown.cell.wholly and shown.cell.exempt is Exemption.SELF:
            itself = shown.ports
        elif shown.ports != NONE:
            answers[shown.ports].append(shown.destination.name)
        if shown.cell.exempt is Exemption.NODE and not shown.cell.wholly and shown.exempt_ports != shown.ports:
            own_node = shown.exempt_ports
    for ports in sorted(answers, key=lambda each: (each != ALL, each)):
        own = [_OWN[source.kind]] if ports == own_node else []
        yield source.name, ports, ", ".join([*shortened(answers[ports], audience), *own])
    if own_node and own_node not in answers:
        yield source.name, own_node, _OWN[source.kind]
    if denied := others({name for names in answers.values() for name in names}, audience):
        yield source.name, NONE, denied
    elif itself and not (answers or own_node):
        # That a pod reaches itself is known, so it is written only where there is no other answer.
        yield source.name, itself, "itself"
