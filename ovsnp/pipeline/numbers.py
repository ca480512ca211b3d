"""Numbers of at most 32 bits for registers, conjunctions and groups, derived from names."""

from collections.abc import Iterable
from hashlib import blake2b


def number(names: Iterable[str], limit: int = 1 << 32) -> dict[str, int]:
    """A number below ``limit`` for each name, never 0 and never the same twice.

    The number is a hash of the name, so it stays the same when other names come and go. If two names hash to one
    number, the name that is later in sorted order takes the next free number.
    """
    numbers: dict[str, int] = {}
    taken = {0}
    for name in sorted(set(names)):
        candidate = _hash(name, limit)
        while candidate in taken:
            candidate = (candidate + 1) % limit
        taken.add(candidate)
        numbers[name] = candidate
    return numbers


def _hash(name: str, limit: int) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=4).digest(), "big") % limit


class Numbers:
    """The numbers of `number` for a changing set of names; the order of the changes has no influence."""

    def __init__(self, limit: int = 1 << 32) -> None:
        self._limit = limit
        self._names: dict[int, str] = {}
        self._numbers: dict[str, int] = {}

    def __getitem__(self, name: str) -> int:
        return self._numbers[name]

    def update(self, went: Iterable[str], came: Iterable[str]) -> set[str]:
        """Remove names, then add names; returns the names whose number is new or has changed."""
        before: dict[str, int | None] = {}
        for name in went:
            before.setdefault(name, self._numbers[name])
            self._remove(name, before)
        for name in came:
            before.setdefault(name, None)
            self._add(name, before)
        return {name for name, last in before.items() if self._numbers.get(name) not in (None, last)}

    def _add(self, name: str, before: dict[str, int | None]) -> None:
        home = _hash(name, self._limit)
        if home and home not in self._names:
            self._put(name, home)
        else:
            self._renumber(self._run(home) | {name}, before)

    def _remove(self, name: str, before: dict[str, int | None]) -> None:
        run = self._run(self._numbers[name])
        self._take(name)
        self._renumber(run - {name}, before)

    def _run(self, number: int) -> set[str]:
        """The names at this number and around it, up to the next free number on both sides: only these can collide."""
        found = set()
        for step in (1, -1):
            at = number
            while at in self._names or not at:
                if at:
                    found.add(self._names[at])
                at = (at + step) % self._limit
        return found

    def _renumber(self, names: set[str], before: dict[str, int | None]) -> None:
        for name in names & self._numbers.keys():
            before.setdefault(name, self._take(name))
        for name in sorted(names):
            candidate = _hash(name, self._limit)
            while candidate in self._names or not candidate:
                candidate = (candidate + 1) % self._limit
            self._put(name, candidate)

    def _put(self, name: str, number: int) -> None:
        self._names[number] = name
        self._numbers[name] = number

    def _take(self, name: str) -> int:
        number = self._numbers.pop(name)
        del self._names[number]
        return number
