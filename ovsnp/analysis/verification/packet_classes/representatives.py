"""Finds values of a field that stand for all its values: one for each class that flows and expectations tell apart."""

from collections.abc import Collection, Iterable, Sequence

Cube = tuple[int, int]
"""The set of numbers that have a value under a mask."""


def representatives(tests: Iterable[Cube], width: int, exact: Collection[int]) -> list[int]:
    """A number of ``width`` bits for each class of numbers that the tests tell apart, and all of ``exact``.

    An exact number is a class of its own.
    """
    full = (1 << width) - 1
    tested = {(value & mask, mask & full) for value, mask in tests}
    points = {*exact, *(value for value, mask in tested if mask == full)}
    cubes = _met({(0, 0), *(each for each in tested if each[1] != full)})
    singles = [(point, full) for point in points]
    inside = (
        _one_of(cube, [each for each in cubes if each != cube and _is_within(each, cube)], singles) for cube in cubes
    )
    return sorted(points | {found for found in inside if found is not None})


def _met(cubes: Collection[Cube]) -> set[Cube]:
    """These cubes and all their intersections."""
    found: set[Cube] = set()
    for value, mask in cubes:
        both = {(value | other, mask | its) for other, its in found if not (value ^ other) & mask & its}
        found |= {(value, mask), *both}
    return found


def _is_within(one: Cube, other: Cube) -> bool:
    return other[1] & ~one[1] == 0 and not (one[0] ^ other[0]) & other[1]


def _one_of(cube: Cube, smaller: Sequence[Cube], points: Sequence[Cube]) -> int | None:
    """A number of the cube that is in none of the others; None where there is none."""
    return _outside(*cube, [*smaller, *points])


def _outside(value: int, mask: int, others: Sequence[Cube]) -> int | None:
    left = [each for each in others if not (value ^ each[0]) & mask & each[1]]
    if not left:
        return value
    chosen, its = left[0]
    free = its & ~mask
    while free:
        bit = free & -free
        free ^= bit
        found = _outside(value | bit & ~chosen, mask | bit, left)
        if found is not None:
            return found
        # No number that differs from the cube to avoid in this bit will do, so the bit is that of the cube.
        value, mask = value | bit & chosen, mask | bit
    return None
