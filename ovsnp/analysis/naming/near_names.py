"""The names that a user may have meant by a name that does not exist."""

from collections.abc import Iterable
from difflib import get_close_matches

_NEAREST = 3
_LISTED = 5


def nearest(word: str, names: Iterable[str]) -> list[str]:
    """At most three of the names, the likeliest first; none where no name is like the word."""
    return get_close_matches(word, list(dict.fromkeys(names)), _NEAREST)


def nearest_keys(key: str, keys: Iterable[str]) -> list[str]:
    """Like `nearest`, for ``NAMESPACE/NAME``: similar names in the same namespace, else in any namespace.

    Two names are not similar because of the same namespace alone, however long it is.
    """
    namespace, _, name = key.partition("/")
    by_name: dict[str, list[str]] = {}
    inside = []
    for each in keys:
        space, _, own = each.partition("/")
        by_name.setdefault(own, []).append(each)
        if space == namespace:
            inside.append(own)
    if found := nearest(name, inside):
        return [f"{namespace}/{own}" for own in found]
    like = [each for own in nearest(name, by_name) for each in by_name[own]]
    return get_close_matches(key, like, _NEAREST, cutoff=0)


def advice(found: list[str], names: Iterable[str], kind: str) -> str:
    """The end of a sentence that says there is no such name: the likely names, else some of the existing names.

    ``kind`` is the plural noun for the things with these names.
    """
    if found:
        return f"did you mean {either(found)}?"
    known = sorted(set(names))
    if not known:
        return f"there are no {kind}"
    if len(known) <= _LISTED:
        return f"there {'is' if len(known) == 1 else 'are'} {', '.join(known)}"
    return f"there are {len(known)} {kind}, such as {', '.join(known[:_LISTED])}"


def either(words: list[str]) -> str:
    """``a``, ``a or b``, ``a, b or c``."""
    *before, last = words
    return f"{', '.join(before)} or {last}" if before else last
