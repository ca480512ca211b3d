"""A pod and itself: no line means that, so these cells may be filled as it makes lines fewer."""

from collections.abc import Iterable

import msgspec

Rows = dict[int, dict[int, int]]
"""By source, then by destination: traffic as bits, never 0."""


class Itself(msgspec.Struct, frozen=True):
    """A pod's end, those that policies do not tell from it, and the traffic that they would gain or lose as itself."""

    number: int
    alike: tuple[int, ...]
    most: int


def with_themselves(rows: Rows, pods: Iterable[Itself], size: int) -> Rows:
    """The same with each pod and itself, as with an end that is like it, or as with all of the ``size`` ends."""
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


def _of_alike(rows: Rows, pod: Itself) -> int:
    """What the pod has in the row of one of those like it that has the same everywhere else."""
    own = rows.get(pod.number, {})
    for other in pod.alike:
        row, ends = rows.get(other, {}), (pod.number, other)
        if row.get(pod.number) and _without(row, *ends) == _without(own, *ends):
            return row[pod.number]
    return 0


def _without(row: dict[int, int], *ends: int) -> dict[int, int]:
    return {number: traffic for number, traffic in row.items() if number not in ends}


def _of_all(rows: Rows, pod: int, size: int) -> int:
    """What is the same in all of the pod's row, with every other end."""
    row = rows.get(pod, {})
    found = set(row.values())
    return found.pop() if len(found) == 1 and len(row) == size - 1 else 0
