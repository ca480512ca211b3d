"""Compares two clusters, one before a change and one after: the connections that are gained and lost."""

from collections.abc import Callable, Iterator

import msgspec

from ovsnp.analysis.diff.effect.cells import changed
from ovsnp.analysis.diff.effect.ends import Ends, Family
from ovsnp.analysis.diff.effect.lines import EffectLine, Writer, merged
from ovsnp.analysis.diff.effect.pod_names import PodTerms, PodWords
from ovsnp.analysis.diff.effect.reasons import ChangeReasons
from ovsnp.analysis.diff.effect.service_changes import ServiceChanges
from ovsnp.analysis.diff.effect.services import ServiceLine, ServiceWriter, merged_services
from ovsnp.gc_pause import gc_paused
from ovsnp.model.cluster import Cluster, Pod
from ovsnp.oracle.classes import Classes
from ovsnp.oracle.relation import Relation
from ovsnp.oracle.rulebook import Partition
from ovsnp.oracle.terms import Terms

_LISTED = 4
"""Up to so many pods that come or go are listed by their names, more by labels."""


class PodChurn(msgspec.Struct, frozen=True):
    """Pods that are in only one of the clusters, or have another address in the other.

    A line between pods is about such a pod only at an address that stays.
    """

    words: PodTerms
    keys: tuple[str, ...]


class Effect(msgspec.Struct, frozen=True):
    """The gains and losses of ends that stay, and the pods that come, go or get another address.

    ``families`` are the address families that were compared.
    """

    lines: tuple[EffectLine, ...]
    services: tuple[ServiceLine, ...]
    families: tuple[int, ...]
    pods_new: PodChurn | None
    pods_gone: PodChurn | None
    pods_moved: PodChurn | None

    def __bool__(self) -> bool:
        return bool(self.lines or self.services or self.pods_new or self.pods_gone or self.pods_moved)


@gc_paused()
def compare(old: Cluster, new: Cluster, terms: Terms) -> Effect:
    """Judge every class of connections before and after the change; ``terms`` say how policies are read."""
    return compare_classes(Classes(old, new), terms)


def _always() -> None:
    """The comparison is still wanted."""


@gc_paused()
def compare_classes(classes: Classes, terms: Terms, alive: Callable[[], None] = _always) -> Effect:
    """Like `compare`, for the classes of two clusters, the old one first.

    ``alive`` is called again and again; what it raises ends the comparison.
    """
    old, new = (each.cluster for each in classes.clusters)
    ends = Ends(classes, strict_nodes=terms.strict_nodes)
    families = [_Compared(ends, family, classes) for family in ends.families if family.of_address]
    before, after = ({pod.key: pod for pod in cluster.pods} for cluster in (old, new))
    moved = {key for key in before.keys() & after.keys() if set(before[key].addresses) != set(after[key].addresses)}
    return Effect(
        merged(line for each in families for line in each.lines(alive)),
        merged_services(line for each in families for line in each.service_lines(terms.service_blocks)),
        tuple(each.family.version for each in families),
        _came(new, after, after.keys() - before.keys()),
        _came(old, before, before.keys() - after.keys()),
        _came(new, after, moved),
    )


class _Compared:
    """The comparison of both clusters in one address family."""

    def __init__(self, ends: Ends, family: Family, classes: Classes) -> None:
        self.family = family
        self._ends, self._classes = ends, classes
        partition = Partition(tuple(end.representative for end in family.ends), classes.partition.traffic)
        old, new = classes.clusters
        before = Relation(old, partition)
        self._relations = before, before.beside(new) if new.has_pods_of(old) else Relation(new, partition)
        self._writer = Writer(ends, family, classes.traffic, ChangeReasons(*self._relations).of)

    def lines(self, alive: Callable[[], None]) -> Iterator[EffectLine]:
        # Nothing is ever sent to port 0.
        classes = self._classes.traffic
        real = sum(1 << each.number for each in classes if each.protocol is None or each.ranges[-1].last)
        found = changed(*self._relations, real, alive)
        for cells, gained in ((found.gained, True), (found.lost, False)):
            for line in self._writer.lines(cells, gained=gained):
                alive()
                yield line

    def service_lines(self, service_blocks: bool) -> Iterator[ServiceLine]:
        changes = ServiceChanges(self._ends, self.family, self._classes, self._relations, service_blocks)
        yield from ServiceWriter(self._classes.clusters, self._writer.names).lines(changes)


def _came(cluster: Cluster, pods: dict[str, Pod], keys: set[str]) -> PodChurn | None:
    if not keys:
        return None
    names = PodWords(pods.values(), cluster.namespaces)
    words = names.name(frozenset(keys)) if len(keys) > _LISTED else names.one_by_one(keys)
    return PodChurn(words, tuple(sorted(keys)))
