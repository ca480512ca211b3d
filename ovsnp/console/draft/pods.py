"""The pods that a draft selects, by name and by workload."""

from collections import Counter

from ovsnp.analysis.naming.matrix_headings import Rows
from ovsnp.console.draft.draft_document import DraftPods, DraftWorkload
from ovsnp.model.policy import NetworkPolicy
from ovsnp.oracle.indexed_oracle import IndexedOracle

NAMES_SHOWN = 50
"""The most names of pods, and of workloads, that an answer has."""


class SelectedPods:
    """Finds the pods of one cluster that policies select, and names their workloads as the matrix does."""

    def __init__(self, oracle: IndexedOracle) -> None:
        self._oracle = oracle
        self._rows = Rows(oracle.cluster)
        self._workload_of = {pod.key: name for name, pods in self._rows.workloads.items() for pod in pods}

    def by(self, policy: NetworkPolicy) -> DraftPods:
        """The pods that a policy selects."""
        groups = self._oracle.selected(policy.namespace, policy.pod_selector)
        pods = [pod for number in groups for pod in self._oracle.workloads.groups[number]]
        counts = Counter(self._workload_of[pod.key] for pod in pods)
        return DraftPods(
            count=len(pods),
            names=sorted(pod.title for pod in pods)[:NAMES_SHOWN],
            workload_count=len(counts),
            workloads=[
                DraftWorkload(name, counts[name], len(self._rows.workloads[name]))
                for name in sorted(counts)[:NAMES_SHOWN]
            ],
        )
