"""Who of all that there are, in few words: names, namespaces, or that it is everyone, and everyone but some."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

_LISTED = 5
"""So many that may not be reached are named; of more it is enough to say that they are the others."""
_MOST_LISTED = 8
"""So many that may be reached are always named."""
_FEW = 3
"""How many must be named for each that is not, so that it is shorter to say who is not."""

Audience = Mapping[str, list[str]]
"""Names by what stands before the slash: a namespace, or ``outside``."""


def told(names: Sequence[str], audience: Audience) -> list[str]:
    """The names, or where they are many that they are everyone, or who is not among them."""
    short = list(_short(names, audience))
    if len(short) <= _MOST_LISTED:
        return short
    left = _left(set(names), audience)
    if not left:
        return ["everyone"]
    if len(left) <= _LISTED:
        but = list(_short([name for members in left.values() for name in members], audience))
        if len(but) * _FEW <= len(short):
            return [f"everyone but {' and '.join(but)}"]
    return short


def others(reached: set[str], audience: Audience) -> str:
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
    for start, members in by_start(names).items():
        there = set(members)
        but = [name for name in audience.get(start, ()) if name not in there]
        if len(members) == 1 or len(but) * _FEW > len(members):
            yield from members
        else:
            yield f"{start}/* but {' and '.join(but)}" if but else f"{start}/*"


def by_start(names: Iterable[str]) -> dict[str, list[str]]:
    """The names as an audience."""
    found: dict[str, list[str]] = defaultdict(list)
    for name in names:
        found[start_of(name)].append(name)
    return found


def start_of(name: str) -> str:
    """What stands before the slash."""
    return name.partition("/")[0]
