"""Fills the cells of pods with themselves: no line is about these, so they may have traffic that makes lines fewer."""

from collections.abc import Iterable

import msgspec

Rows = dict[int, dict[int, int]]
"""By source, then by destination: traffic as bits, never 0."""


class OwnCell(msgspec.Struct, frozen=True):
    """A pod's end, the ends that policies do not tell from it, and the most traffic that its own cell may have."""

    number: int
    alike: tuple[int, ...]
    most: int


def with_themselves(rows: Rows, pods: Iterable[OwnCell], size: int) -> Rows:
    """The rows with each pod's own cell filled: as for an end like it, or as for all others of the ``size`` ends."""
    columns: Rows = {}
    for near, row in rows.items():
        for far, traffic in row.items():
            columns.setdefault(far, {})[near] = traffic
    filled = {near: dict(row) for near, row in rows.items()}
    for pod in pods:
        found = [_of_alike(each, pod) or _of_all(each, pod.number, size) for each in (rows, columns)]
        if traffic := (found[0] or found[1]) & pod.most:
            filled.setdefault(pod.number, {})[pod.number] = traffic
    return filled


def _of_alike(rows: Rows, pod: OwnCell) -> int:
    """The pod's traffic in the row of an end like it, if both rows are the same everywhere else; else 0."""
    own = rows.get(pod.number, {})
    for other in pod.alike:
        row, ends = rows.get(other, {}), (pod.number, other)
        if row.get(pod.number) and _without(row, *ends) == _without(own, *ends):
            return row[pod.number]
    return 0


def _without(row: dict[int, int], *ends: int) -> dict[int, int]:
    return {number: traffic for number, traffic in row.items() if number not in ends}


def _of_all(rows: Rows, pod: int, size: int) -> int:
    """The traffic of the pod with every other end, if it is the same with all; else 0."""
    row = rows.get(pod, {})
    found = set(row.values())
    return found.pop() if len(found) == 1 and len(row) == size - 1 else 0
