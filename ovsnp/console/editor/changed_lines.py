"""What another one has changed in the text of a policy."""

from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import NamedTuple


class ChangedLine(NamedTuple):
    """A line with its mark: ``-`` was there only before, ``+`` is there only now, a space was there all the time."""

    mark: str
    text: str


def changed_lines(before: str, now: str) -> Iterator[ChangedLine]:
    """All lines of two texts, in their order."""
    old, new = before.splitlines(), now.splitlines()
    for kind, first, last, begin, end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            yield from (ChangedLine(" ", line) for line in old[first:last])
        else:
            yield from (ChangedLine("-", line) for line in old[first:last])
            yield from (ChangedLine("+", line) for line in new[begin:end])
