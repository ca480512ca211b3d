"""The difference between two lists or mappings, as entries that stay, go and come."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any, NamedTuple

from ovsnp.yaml_editor.equality import identity, same
from ovsnp.yaml_editor.nodes import TextNode


class KeptEntry(NamedTuple):
    """An entry that stays, by its index (``entry``); its value may change."""

    entry: int
    old: Any
    new: Any


class AddedEntries(NamedTuple):
    """New entries (a mapping, or a list of items) after the entry with an index; -1 is the place before all others."""

    after: int
    content: Any


class Difference(NamedTuple):
    """The entries of a node that stay, those that are added, and the indexes of those that go."""

    kept: list[KeptEntry]
    added: list[AddedEntries]
    removed: list[int]


def difference(node: TextNode, old: Any, new: Any) -> Difference | None:
    """What changes in a mapping or a list; None if nothing of it stays, so that all of it is to be written anew."""
    if node.style.is_mapping and isinstance(old, dict) and isinstance(new, dict):
        found = _of_mappings(node, old, new)
    elif node.style.is_sequence and isinstance(old, list) and isinstance(new, list):
        found = _of_lists(old, new)
    else:
        return None
    return found if found and found.kept else None


def _of_mappings(node: TextNode, old: Mapping[Any, Any], new: Mapping[Any, Any]) -> Difference | None:
    own = {entry.key: index for index, entry in enumerate(node.entries) if entry.key is not None}
    if any(key not in own and key not in new for key in old):
        return None  # the key comes by <<, and only a mapping without << is without the key
    kept = [KeptEntry(own[key], old[key], value) for key, value in new.items() if key in own]
    removed = [index for key, index in own.items() if key not in new]
    added: list[AddedEntries] = []
    last = next((index for index, entry in enumerate(node.entries) if entry.key is None), -1)
    for key, value in new.items():
        if key in own:
            last = own[key]
        elif key not in old or not same(old[key], value):
            if added and added[-1].after == last:
                added[-1].content[key] = value
            else:
                added.append(AddedEntries(last, {key: value}))
    return Difference(kept, added, removed)


def _of_lists(old: Sequence[Any], new: Sequence[Any]) -> Difference:
    found = Difference([], [], [])
    before, after = [identity(item) for item in old], [identity(item) for item in new]
    for first, last, begin, end in _parts(before, after):
        both = min(last - first, end - begin)
        found.kept.extend(KeptEntry(first + step, old[first + step], new[begin + step]) for step in range(both))
        found.removed.extend(range(first + both, last))
        if end > begin + both:
            found.added.append(AddedEntries(first + both - 1, [*new[begin + both : end]]))
    return found


def _parts(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[int, int, int, int]]:
    """The parts of two lists that belong together, as two ranges each: the equal ones, and what is between them.

    Equal items at both ends are compared by place, so a change of one of several equal items is a change of this one.
    """
    shorter = min(len(before), len(after))
    same_start = next((at for at in range(shorter) if before[at] != after[at]), shorter)
    rest = shorter - same_start
    same_end = next((at for at in range(rest) if before[-1 - at] != after[-1 - at]), rest)
    yield 0, same_start, 0, same_start
    middle = (before[same_start : len(before) - same_end], after[same_start : len(after) - same_end])
    for _, *ranges in SequenceMatcher(None, *middle, autojunk=False).get_opcodes():
        first, last, begin, end = (each + same_start for each in ranges)
        yield first, last, begin, end
    yield len(before) - same_end, len(before), len(after) - same_end, len(after)
