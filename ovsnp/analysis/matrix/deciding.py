"""The rules that decide a cell."""

import msgspec

from ovsnp.analysis.matrix.view import Shown
from ovsnp.analysis.reach.cells import Reach
from ovsnp.model.policy import Direction
from ovsnp.oracle.rulebook import CompiledRule


class Deciding(msgspec.Struct, frozen=True):
    """The rules of both sides that admit some traffic, in one family; none where the side is not isolated."""

    family: int
    egress: tuple[CompiledRule, ...]
    ingress: tuple[CompiledRule, ...]


def deciding(reach: Reach, shown: Shown) -> list[Deciding]:
    """The deciding rules for each family; without rules where policies do not apply."""
    found = []
    for version in shown.cell.ports:
        ends = shown.source.classes[version], shown.destination.classes[version]
        sides = [() if shown.cell.wholly else tuple(reach.relation.admitting(each, *ends)) for each in _SIDES]
        found.append(Deciding(version, *sides))
    return found


_SIDES = (Direction.EGRESS, Direction.INGRESS)
