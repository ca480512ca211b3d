"""Lists some of a set of names in few words: names, namespaces, everyone, or everyone but some."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

_LISTED = 5
"""At most this many unreached names or namespaces are listed; more are called everyone else."""
_MOST_LISTED = 8
"""At most this many reached names are always listed; more may be called everyone."""
_FEW = 3
"""Exceptions are listed instead of names where there are at least this many names for each exception."""

Audience = Mapping[str, list[str]]
"""Names by the part before the slash: a namespace, or ``outside``."""


def shortened(names: Sequence[str], audience: Audience) -> list[str]:
    """The names; where they are many, everyone, or everyone but the few names that are not among them."""
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
    """The names that are not reached; ``everyone`` or ``everyone else`` where they are many; empty without any."""
    left = _left(reached, audience)
    if len(left) <= _LISTED:
        short = list(_short([name for members in left.values() for name in members], audience))
        if len(short) <= _LISTED:
            return ", ".join(short)
    return "everyone else" if reached else "everyone"


def _left(reached: set[str], audience: Audience) -> dict[str, list[str]]:
    """The part of an audience that is not reached."""
    left = {start: members for start, members in audience.items() if not reached.issuperset(members)}
    return {start: [name for name in members if name not in reached] for start, members in left.items()}


def _short(names: Iterable[str], audience: Audience) -> Iterator[str]:
    """The names; all or nearly all names of a namespace, or of outside, become one.

    Such as ``NAMESPACE/*`` and ``NAMESPACE/* but NAMESPACE/NAME``.
    """
    for start, members in by_start(names).items():
        there = set(members)
        but = [name for name in audience.get(start, ()) if name not in there]
        if len(members) == 1 or len(but) * _FEW > len(members):
            yield from members
        else:
            yield f"{start}/* but {' and '.join(but)}" if but else f"{start}/*"


def by_start(names: Iterable[str]) -> dict[str, list[str]]:
    """Make an audience of names."""
    found: dict[str, list[str]] = defaultdict(list)
    for name in names:
        found[start_of(name)].append(name)
    return found


def start_of(name: str) -> str:
    """The part of a name before the slash."""
    return name.partition("/")[0]
