"""The snapshot of a cluster, prepared so that the change of one policy is quick to judge."""

from collections.abc import Sequence

import msgspec

from ovsnp.console.draft.reading import ReadEdit
from ovsnp.model.cluster import Cluster
from ovsnp.model.policy import NetworkPolicy
from ovsnp.oracle.classes import Classes
from ovsnp.oracle.indexed_oracle import IndexedOracle
from ovsnp.oracle.planned import planned_families, read_blocks, with_planned


class Base:
    """A snapshot with its planned pods at placeholders, and its classes; both are kept from edit to edit.

    ``likeness`` is a cluster whose planned pods get addresses of the same families.
    """

    def __init__(self, snapshot: Cluster, likeness: Cluster) -> None:
        (self.cluster, *_) = with_planned(snapshot, likeness)
        self.oracle = IndexedOracle(self.cluster)
        self.classes = Classes(self.oracle)

    def beside(self, policies: Sequence[NetworkPolicy]) -> Classes:
        """The classes of the snapshot and of the same cluster with other policies."""
        return self.classes.beside(self.oracle.with_policies(policies))


class Bases:
    """The bases of one snapshot, one for each set of address families that planned pods get."""

    def __init__(self, snapshot: Cluster) -> None:
        self._snapshot = snapshot
        self._has_planned = bool(snapshot.planned or snapshot.planned_services)
        self._known: dict[tuple[int, ...], Base] = {}

    def of(self, edit: ReadEdit) -> Base:
        """The base on which an edit is judged: an edit with a block of another family may give planned pods another."""
        edited = msgspec.structs.replace(self._snapshot, policies=policies_after(self._snapshot, edit))
        families = planned_families(self._snapshot, edited) if self._has_planned else ()
        if families not in self._known:
            self._known[families] = Base(self._snapshot, edited)
        return self._known[families]

    def policies(self, base: Base, edit: ReadEdit) -> tuple[NetworkPolicy, ...]:
        """The policies of a base after an edit."""
        came = edit.came
        if came and self._has_planned:
            (came,) = read_blocks([came], self._snapshot)
        return policies_after(base.cluster, msgspec.structs.replace(edit, came=came))


def policies_after(cluster: Cluster, edit: ReadEdit) -> tuple[NetworkPolicy, ...]:
    """The policies of a cluster after an edit, by namespace and name."""
    key = edit.gone.key if edit.gone else None
    kept = [policy for policy in cluster.policies if policy.key != key]
    came = [edit.came] if edit.came else []
    return tuple(sorted([*kept, *came], key=lambda policy: (policy.namespace, policy.name)))
