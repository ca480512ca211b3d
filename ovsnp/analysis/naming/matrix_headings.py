"""Rows and columns of the matrix, by heading."""

from collections import defaultdict
from functools import cached_property

from ovsnp.analysis.reach.parties import By, Party, PartyKind, parties
from ovsnp.analysis.reach.workloads import group, name_of_workload
from ovsnp.model.address import parse_address
from ovsnp.model.cluster import Cluster, Pod
from ovsnp.oracle import Endpoint
from ovsnp.oracle.classes import Classes
from ovsnp.oracle.rulebook import Rulebook


class Rows:
    """The headings of the matrix of a cluster, by workload and by pod; computed at the first use."""

    def __init__(self, cluster: Cluster, *, strict_nodes: bool = False) -> None:
        self._cluster, self.strict_nodes = cluster, strict_nodes

    @cached_property
    def workloads(self) -> dict[str, list[Pod]]:
        """The pods of the rows by workload, by ``NAMESPACE/NAME``; rows that differ only in brackets are together."""
        found: dict[str, list[Pod]] = defaultdict(list)
        for pods in group(self._cluster.pods).values():
            found[f"{pods[0].namespace}/{name_of_workload(pods)}"] += pods
        return dict(found)

    @cached_property
    def _classes(self) -> Classes:
        return Classes(self._cluster)

    @cached_property
    def parties(self) -> dict[str, Party]:
        """All rows, by their complete headings."""
        classes = self._classes
        rules = Rulebook(classes.clusters[0], classes.partition)
        found = (parties(classes, [rules], by, strict_nodes=self.strict_nodes) for by in (By.POD, By.WORKLOAD))
        return {party.name: party for together in found for party in together}

    def ends(self, party: Party) -> tuple[Endpoint, ...]:
        """The members of a row without pods: nodes with all addresses of the row, outsiders with one example."""
        classes = self._classes
        if party.kind is PartyKind.OUTSIDE:
            addresses = [classes.ends[number].representative for number in party.classes.values()]
        else:
            addresses = [*map(parse_address, party.addresses)]
        return tuple(map(classes.clusters[0].who, addresses))
