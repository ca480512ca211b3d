"""What another one has changed in the text of a policy."""

from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple


class ChangedLine(NamedTuple):
    """A line with its mark: ``-`` was there only before, ``+`` is there only now, a space was there all the time."""

    mark: str
    text: str


def changed_lines(before: str, now: str) -> Iterator[ChangedLine]:
    """All lines of two texts, in their order.

    In a long text, lines that it has many times are compared only beside other equal lines: the time would grow with
    the square of their number.
    """
    old, new = before.splitlines(), now.splitlines()
    first, last = _equal_ends(old, new)
    yield from _marked(" ", old[:first])
    for kind, *where in SequenceMatcher(None, old[first : len(old) - last], new[first : len(new) - last]).get_opcodes():
        start, end, begin, stop = (first + each for each in where)
        if kind == "equal":
            yield from _marked(" ", old[start:end])
        else:
            yield from _marked("-", old[start:end])
            yield from _marked("+", new[begin:stop])
    yield from _marked(" ", old[len(old) - last :])


def _marked(mark: str, lines: Iterable[str]) -> Iterator[ChangedLine]:
    return (ChangedLine(mark, line) for line in lines)


def _equal_ends(old: Sequence[str], new: Sequence[str]) -> tuple[int, int]:
    """The numbers of lines at the beginning, and after these at the end, that are equal."""
    shorter = min(len(old), len(new))
    first = next((at for at in range(shorter) if old[at] != new[at]), shorter)
    last = next((at for at in range(shorter - first) if old[-1 - at] != new[-1 - at]), shorter - first)
    return first, last
