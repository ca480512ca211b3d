"""32-bit numbers for registers and conjunctions, derived from content."""

from collections.abc import Iterable
from hashlib import blake2b


def number(names: Iterable[str], limit: int = 1 << 32) -> dict[str, int]:
    """A number below ``limit`` for each name, never 0 and never the same twice.

    A number depends on its own name alone, so it stays when others come and go; should two names hash to one
    number, the later in sorted order takes the next that is free.
    """
    numbers: dict[str, int] = {}
    taken = {0}
    for name in sorted(set(names)):
        candidate = int.from_bytes(blake2b(name.encode(), digest_size=4).digest(), "big") % limit
        while candidate in taken:
            candidate = (candidate + 1) % limit
        taken.add(candidate)
        numbers[name] = candidate
    return numbers
