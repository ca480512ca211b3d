"""The matrix for people: for each source what it may open to whom, the most first."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ovsnp.matrix.view import View
from ovsnp.reach.parties import Kind, Party
from ovsnp.reach.traffics import ALL, NONE
from ovsnp.verify import Exemption

_HEAD = ("FROM", "PORTS", "TO")
_OWN = {Kind.POD: "its own node", Kind.NODE: "its own pods"}
_LISTED = 5
"""So many that may not be reached are named; of more it is enough to say that they are the others."""
_MOST_LISTED = 8
"""So many that may be reached are always named."""
_FEW = 3
"""How many must be named for each that is not, so that it is shorter to say who is not."""

Line = tuple[str, str, str]
Audience = Mapping[str, list[str]]
"""Names by what stands before the slash: a namespace, or ``outside``."""


def text_lines(view: View) -> Iterator[str]:
    """A table; a source has a line for each answer."""
    audiences = _Audiences(view)
    found = [_HEAD, *(line for source in view.sources for line in _of_source(view, source, audiences.of(source)))]
    widths = [max(len(line[column]) for line in found) for column in (0, 1)]
    for source, ports, names in found:
        yield f"{source:{widths[0]}}  {ports:{widths[1]}}  {names}"


class _Audiences:
    """All that a source could reach if there were no policies: not itself, nor those with whom it shares no family."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._known: dict[object, Audience] = {}

    def of(self, source: Party) -> Audience:
        """In order; a workload of several pods is in its own audience, since these are not each other."""
        key = source.kind is Kind.POD, tuple(source.classes)
        if key not in self._known:
            self._known[key] = _by_start(each.name for each in self._view.destinations if _may_meet(source, each))
        there, start = self._known[key], _start(source.name)
        if len(source.pods) != 1 or source.name not in there.get(start, ()):
            return there
        return {**there, start: [name for name in there[start] if name != source.name]}


def _may_meet(source: Party, destination: Party) -> bool:
    if Kind.POD not in (source.kind, destination.kind):
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
        yield source.name, ports, ", ".join([*_told(answers[ports], audience), *own])
    if own_node and own_node not in answers:
        yield source.name, own_node, _OWN[source.kind]
    if denied := _denied({name for names in answers.values() for name in names}, audience):
        yield source.name, NONE, denied
    elif itself and not (answers or own_node):
        # What everybody knows is told only to who asks for nothing else.
        yield source.name, itself, "itself"


def _told(names: Sequence[str], audience: Audience) -> list[str]:
    """The names, or where they are many that they are everyone, or who is not among them."""
    short = list(_short(names, audience))
    if len(short) <= _MOST_LISTED:
        return short
    others = _left(set(names), audience)
    if not others:
        return ["everyone"]
    if len(others) <= _LISTED:
        but = list(_short([name for members in others.values() for name in members], audience))
        if len(but) * _FEW <= len(short):
            return [f"everyone but {' and '.join(but)}"]
    return short


def _denied(reached: set[str], audience: Audience) -> str:
    """Those that cannot be reached, or that they are the others."""
    left = _left(reached, audience)
    if len(left) <= _LISTED:
        short = list(_short([name for members in left.values() for name in members], audience))
        if len(short) <= _LISTED:
            return ", ".join(short)
    return "everyone else" if reached else "everyone"


def _left(reached: set[str], audience: Audience) -> dict[str, list[str]]:
    """Those of an audience that are not reached."""
    left = {start: members for start, members in audience.items() if not reached.issuperset(members)}
    return {start: [name for name in members if name not in reached] for start, members in left.items()}


def _short(names: Iterable[str], audience: Audience) -> Iterator[str]:
    """The names; those of a namespace, or outside, as one where they are all, or nearly all, there are.

    ``NAMESPACE/*``, ``NAMESPACE/* but NAMESPACE/NAME``.
    """
    for start, members in _by_start(names).items():
        there = set(members)
        but = [name for name in audience.get(start, ()) if name not in there]
        if len(members) == 1 or len(but) * _FEW > len(members):
            yield from members
        else:
            yield f"{start}/* but {' and '.join(but)}" if but else f"{start}/*"


def _by_start(names: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for name in names:
        found[_start(name)].append(name)
    return found


def _start(name: str) -> str:
    return name.partition("/")[0]
