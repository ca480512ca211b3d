"""The objects of one reading, and what pages work out of them once."""

import threading
from collections.abc import Callable, Hashable, Sequence
from functools import cached_property
from typing import Any, TypeVar

from ovsnp import Reach, with_planned
from ovsnp.analysis.naming.roster import Roster
from ovsnp.analysis.reach.cells import ClassRelation
from ovsnp.analysis.reach.parties import By
from ovsnp.analysis.wording.places import Places
from ovsnp.console.workspace.cluster_source import PolicyTexts, ReadObjects
from ovsnp.errors import Diagnostic
from ovsnp.manifests import located
from ovsnp.manifests.live.closed_policy import EFFECT
from ovsnp.model.address import Prefix
from ovsnp.model.cluster import Pod
from ovsnp.model.policy import Direction, NetworkPolicy
from ovsnp.oracle.selection import Workloads
from ovsnp.oracle.terms import Terms
from ovsnp.yaml_reader.paths import format_path
from ovsnp.yaml_reader.report import Mistake

Made = TypeVar("Made")

_RELATION = "relation"


class WorkspaceSnapshot:
    """One reading, which never changes; ``number`` counts the readings from 1.

    ``given`` are the objects as they were read, ``cluster`` the same with the pods that workloads will have. ``closed``
    has the mistakes of the policies that are not understood, by key. ``texts`` are the texts of the policies. Threads
    may share a snapshot.
    """

    def __init__(
        self, number: int, read: ReadObjects, texts: PolicyTexts, terms: Terms, service_cidrs: Sequence[Prefix]
    ) -> None:
        self.number, self.texts, self.terms = number, texts, terms
        self.given, self.closed = read
        self.service_cidrs = tuple(service_cidrs)
        (self.cluster,) = with_planned(self.given)
        self.places = Places(texts)
        self.policies = {(policy.namespace, policy.name): policy for policy in self.cluster.policies}
        self._made: dict[Hashable, Any] = {}
        self._making: dict[Hashable, threading.Lock] = {}
        self._selected: dict[str, tuple[Pod, ...]] = {}

    def prepare(self) -> None:
        """Work out what the first page needs: the pods of each policy, and the files of the policies."""
        for policy in {policy.place.file: policy for policy in self.policies.values()}.values():
            self.places.policy(policy)
        for policy in self.policies.values():
            self.selected(policy)

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What the reading left out, and why."""
        return tuple(map(str, located({*self.given.notes})))

    @cached_property
    def not_understood(self) -> tuple[str, ...]:
        """The mistakes of the policies that are closed, with their lines."""
        return tuple(f"{self._located(each)}; {EFFECT}" for found in self.closed.values() for each in found)

    def _located(self, mistake: Mistake) -> Diagnostic:
        span = self.texts.span(mistake.place, mistake.path)
        return Diagnostic(span, str(mistake.subject or ""), format_path(mistake.path), mistake.message)

    @cached_property
    def roster(self) -> Roster:
        """The names of all ends."""
        return Roster(self.cluster, self.service_cidrs, strict_nodes=self.terms.strict_nodes)

    @cached_property
    def workloads(self) -> Workloads:
        """The pods by namespace and labels."""
        return Workloads(self.cluster)

    @cached_property
    def pods(self) -> dict[tuple[str, str], Pod]:
        """The pods by namespace and name; a pod that stands for a workload has the name of its template."""
        return {(pod.namespace, pod.name): pod for pod in self.cluster.pods}

    def selected(self, policy: NetworkPolicy) -> tuple[Pod, ...]:
        """The pods that a policy selects."""
        if policy.key not in self._selected:
            groups = self.workloads.of_namespace(policy.namespace, policy.pod_selector)
            self._selected[policy.key] = tuple(pod for group in groups for pod in self.workloads.groups[group])
        return self._selected[policy.key]

    def relation(self) -> ClassRelation:
        """The traffic that the policies allow between all classes of ends."""

        def make() -> ClassRelation:
            found = ClassRelation.of(self.cluster)
            for direction in Direction:
                for number in found.relation.rules.numbers:
                    found.relation.side(direction, number)
            return found

        return self.once(_RELATION, make)

    def reach(self, by: By) -> Reach:
        """Who reaches whom."""
        return self.once(("reach", by), lambda: Reach(self.relation(), by, strict_nodes=self.terms.strict_nodes))

    @property
    def has_relation(self) -> bool:
        """Whether `relation` need not work."""
        return _RELATION in self._made

    def once(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """What ``make`` makes of this snapshot; the next call with the key waits for it, and returns the same."""
        if key not in self._made:
            with self._making.setdefault(key, threading.Lock()):
                if key not in self._made:
                    self._made[key] = make()
        found: Made = self._made[key]
        return found
