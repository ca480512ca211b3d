"""The cells of the matrix that a change of policies changes."""

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from ovsnp.analysis.reach.cells import Cell, PartyCells
from ovsnp.analysis.reach.parties import By, Party, parties
from ovsnp.model.policy import Direction
from ovsnp.oracle.classes import Classes
from ovsnp.oracle.relation import Relation


class ChangedCell(NamedTuple):
    """Two parties, and the traffic that policies allow between them before and after."""

    source: Party
    destination: Party
    before: Cell
    after: Cell


class ReachChange:
    """The matrix before and after a change of policies, by workload, with the same rows and columns.

    ``classes`` are those of two clusters that differ in their policies only (`Classes.beside`). Pods of one workload
    are in several rows if policies before or after tell them apart.
    """

    def __init__(self, classes: Classes, *, strict_nodes: bool = False) -> None:
        old, new = classes.clusters
        before = Relation(old, classes.partition)
        relations = before, before.beside(new)
        rules = [each.rules for each in relations]
        self.parties = parties(classes, rules, By.WORKLOAD, strict_nodes=strict_nodes)
        self.before, self.after = (
            PartyCells(classes, each, self.parties, strict_nodes=strict_nodes) for each in relations
        )

    @cached_property
    def turned(self) -> dict[Direction, list[Party]]:
        """The parties whose own policies may allow something else after the change."""
        old, new = self.before.relation, self.after.relation
        return {
            direction: [
                party
                for party in self.parties
                if any(new.differs(old, direction, number) for number in party.classes.values())
            ]
            for direction in Direction
        }

    def cells(self) -> Iterator[ChangedCell]:
        """The cells that differ, by source and then by destination."""
        sending = {party.name for party in self.turned[Direction.EGRESS]}
        receiving = self.turned[Direction.INGRESS]
        for source in self.parties if receiving else self.turned[Direction.EGRESS]:
            for destination in self.parties if source.name in sending else receiving:
                before = self.before.cell(source, destination)
                if before is None or before.wholly:
                    continue
                after = self.after.cell(source, destination)
                if after is not None and after != before:
                    yield ChangedCell(source, destination, before, after)
