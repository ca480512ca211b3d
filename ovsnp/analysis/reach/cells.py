"""The cells of the matrix: the traffic that one party may open to another."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Self

import msgspec

from ovsnp.analysis.reach.parties import By, Party, PartyKind, parties
from ovsnp.analysis.wording.traffics import Traffics, traffics_of
from ovsnp.errors import UsageError
from ovsnp.model.cluster import Cluster
from ovsnp.model.policy import Direction
from ovsnp.oracle import Exemption
from ovsnp.oracle.classes import Classes
from ovsnp.oracle.relation import Relation


class Cell(msgspec.Struct, frozen=True):
    """The traffic that policies allow from one party to another: for each family of both, a bit for each traffic class.

    ``exempt`` is the reason why policies do not apply between some members, or with ``wholly`` between all members:
    everything is allowed there.
    """

    ports: dict[int, int]
    exempt: Exemption | None = None
    wholly: bool = False

    @property
    def allows(self) -> bool:
        """True if any traffic is allowed between any two members."""
        return self.exempt is not None or any(self.ports.values())


class PartyCells:
    """The cells of some rows and columns: the traffic that parties may open to one another, by one relation."""

    def __init__(self, classes: Classes, relation: Relation, found: Sequence[Party], *, strict_nodes: bool) -> None:
        self.classes, self.relation, self.strict_nodes = classes, relation, strict_nodes
        self.parties = tuple(found)
        self._by_class: dict[int, list[int]] = defaultdict(list)
        for index, party in enumerate(self.parties):
            for number in party.classes.values():
                self._by_class[number].append(index)
        self._index = {party.name: index for index, party in enumerate(self.parties)}
        self._nodes = {index for index, party in enumerate(self.parties) if party.kind is PartyKind.NODE}

    def cell(self, source: Party, destination: Party) -> Cell | None:
        """The cell of two parties; None where there is nothing to judge: neither is a pod, or they share no family."""
        shared = [version for version in source.classes if version in destination.classes]
        if not shared or PartyKind.POD not in (source.kind, destination.kind):
            return None
        exempt, wholly = self._exemption(source, destination)
        if wholly:
            return Cell(dict.fromkeys(shared, self.relation.rules.everything), exempt, wholly=True)
        ports = {
            version: self.relation.allowed(source.classes[version], destination.classes[version]) for version in shared
        }
        return Cell(ports, exempt)

    def reached(self, source: Party) -> Iterator[tuple[Party, Cell]]:
        """The parties to which a party may open any traffic, in order, with the cells."""
        for destination in self._candidates(source):
            cell = self.cell(source, destination)
            if cell is not None and cell.allows:
                yield destination, cell

    def _candidates(self, source: Party) -> Iterable[Party]:
        """The parties that a party's own rules or exemptions let it reach; for most parties these are few."""
        sides = [self.relation.side(Direction.EGRESS, number) for number in source.classes.values()]
        if any(side.others for side in sides):
            return self.parties
        named = {number for side in sides for number in side.listed}
        found = {self._index[source.name]} | {index for number in named for index in self._by_class.get(number, ())}
        return [self.parties[index] for index in sorted(found | self._nodes)]

    def _exemption(self, source: Party, destination: Party) -> tuple[Exemption | None, bool]:
        """The reason why policies do not apply between some members, and whether it holds between all members."""
        if source.kind is destination.kind:
            if source.name != destination.name or all(pod.template for pod in source.pods):
                return None, False
            return Exemption.SELF, source.lone
        if PartyKind.OUTSIDE in (source.kind, destination.kind):
            return None, False
        if not self.strict_nodes:
            return Exemption.NODE, True
        own = source.nodes & destination.nodes
        return Exemption.NODE if own else None, len(source.nodes) == len(destination.nodes) == len(own) == 1


class ClassRelation(NamedTuple):
    """The classes of a cluster, and the traffic that its policies allow between them: several `Reach` may share it."""

    classes: Classes
    relation: Relation

    @classmethod
    def of(cls, cluster: Cluster) -> Self:
        """Those of a cluster."""
        classes = Classes(cluster)
        return cls(classes, Relation(classes.clusters[0], classes.partition))


class Reach(PartyCells):
    """The rows, columns and cells of ``ovsnp matrix``: the traffic that parties of a cluster may open to one another.

    A cell is computed at the call. ``parties`` are the rows and columns; for ``alone`` see `parties`. What rows of any
    kind have in common may be given in place of the cluster.
    """

    def __init__(
        self,
        cluster: Cluster | ClassRelation,
        by: By = By.WORKLOAD,
        *,
        strict_nodes: bool = False,
        alone: frozenset[str] = frozenset(),
    ) -> None:
        self.by = by
        classes, relation = ClassRelation.of(cluster) if isinstance(cluster, Cluster) else cluster
        found = parties(classes, [relation.rules], by, strict_nodes=strict_nodes, alone=alone)
        super().__init__(classes, relation, found, strict_nodes=strict_nodes)

    def traffics(self, source: str, destination: str) -> dict[int, Traffics]:
        """The traffic that a row may open to a column, both by name, for each address family (4, 6) that both have.

        Empty where neither is a pod. Raises UsageError for a name that the matrix does not have.
        """
        cell = self.cell(self._party(source), self._party(destination))
        return {version: traffics_of(self.classes, bits) for version, bits in cell.ports.items()} if cell else {}

    def _party(self, name: str) -> Party:
        if name not in self._index:
            raise UsageError(f"the matrix has no row {name}; it has {', '.join(each.name for each in self.parties)}")
        return self.parties[self._index[name]]
