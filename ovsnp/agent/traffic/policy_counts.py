"""The packets that the rules of each policy have admitted, and that were dropped because it isolates their pods."""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ovsnp.agent.traffic.flow_counts import FlowCount, FlowCounts
from ovsnp.agent.traffic.flow_names import FlowNames, Numbered
from ovsnp.agent.traffic.object_names import ObjectNames

MOST_POLICIES = 1000
"""The policies of a node that are counted; each has at most four counters."""


_PolicyName = tuple[str, str]
_Flow = tuple[Numbered, bool, bytes]


class Counted(NamedTuple):
    """What a counter counts: ``direction`` is ingress or egress, ``verdict`` is admitted or dropped."""

    namespace: str
    policy: str
    direction: str
    verdict: str

    @property
    def owner(self) -> _PolicyName:
        """Namespace and name of the policy."""
        return self.namespace, self.policy


class PolicyTotals(NamedTuple):
    """The packets by policy, and the number of the policies that are not counted."""

    packets: Mapping[Counted, int]
    left_out: int


class PolicyCounts:
    """Adds up the counters of flows for each policy that has flows on the bridge; `read` may be called from any thread.

    A policy that is counted stays so while it has flows. If rules of several policies share a flow, its packets count
    for each of them, and so do the packets of a pod that several policies isolate. Pods that the same rules select
    share a flow that drops: its packets count for the policies of all of these pods.
    """

    def __init__(self, counts: FlowCounts, names: FlowNames, objects: ObjectNames) -> None:
        self._counts, self._names, self._objects = counts, names, objects
        self._lock = threading.Lock()
        self._last: dict[_Flow, int] | None = None
        self._packets: dict[Counted, int] = {}

    def read(self) -> PolicyTotals:
        """The packets since the first call; raises SwitchError.

        The packets of a flow between the last call and the end of the flow are not counted.
        """
        with self._lock:
            return self._read()

    def _read(self) -> PolicyTotals:
        subjects = self._names.subjects()
        now: dict[_Flow, int] = {}
        found: Counter[Counted] = Counter()
        for flow in self._counts.flows(subjects):
            key = flow.of, flow.admits, flow.match
            now[key] = flow.packets
            for each in self._counted(flow, subjects.get(flow.of, ())):
                found[each] += self._new(key, flow.packets)
        self._last = now
        policies = {each.owner for each in found}
        chosen = self._choose(policies)
        self._packets = {each: self._packets.get(each, 0) + new for each, new in found.items() if each.owner in chosen}
        return PolicyTotals(self._packets, len(policies) - len(chosen))

    def _new(self, key: _Flow, packets: int) -> int:
        """The packets of a flow since the last call; a counter that began again counts from 0."""
        if self._last is None:
            return 0
        before = self._last.get(key, 0)
        return packets - before if packets >= before else packets

    def _choose(self, policies: set[_PolicyName]) -> set[_PolicyName]:
        """The policies that are counted: first those of the last call."""
        before = {each.owner for each in self._packets}
        return set(sorted(policies, key=lambda each: (each not in before, each))[:MOST_POLICIES])

    def _counted(self, flow: FlowCount, pods: tuple[str, ...]) -> Iterator[Counted]:
        section = flow.of.direction.section
        if flow.admits:
            policies = {(rule.namespace, rule.policy) for rule in self._names.rules(flow.of)}
        else:
            policies = self._objects.isolating_any(pods, flow.of.direction)
        for namespace, policy in policies:
            yield Counted(namespace, policy, section, "admitted" if flow.admits else "dropped")
