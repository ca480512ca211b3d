"""The state of a live cluster: the policies, the nodes with pods of each policy, and the status of the agents."""

import time
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

import msgspec

from ovsnp.analysis.enforcement.resource_versions import reaches
from ovsnp.kubernetes.events import KindListed, ObjectChange, WatchEvent
from ovsnp.kubernetes.failures import NotUnderstoodError
from ovsnp.kubernetes.node_policy_status import KIND, READY, NodeCondition, NodeStatus, read_node_policy_status
from ovsnp.kubernetes.resources import NAMESPACES, NETWORK_POLICIES, NODE_POLICY_STATUSES, NODES, PODS
from ovsnp.manifests.live import LiveObjects
from ovsnp.model.cluster import Cluster, Pod
from ovsnp.model.policy import NetworkPolicy
from ovsnp.oracle.selection import Workloads

NEEDED = (NAMESPACES, NODES, NETWORK_POLICIES, PODS, NODE_POLICY_STATUSES)
"""The kinds that the answer depends on."""

_POLICY = NETWORK_POLICIES.kind
_NODE = NODES.kind

PolicyName = tuple[str, str]


class StoredPolicy(NamedTuple):
    """A policy as the API server has it: its resource version, and its generation."""

    version: str
    generation: int


class HeardAgent(NamedTuple):
    """The status that the agent of a node has written, and the `time.monotonic` of the write."""

    status: NodeStatus
    heard: float


class _Metadata(msgspec.Struct, frozen=True):
    generation: int = 0


class _Generation(msgspec.Struct, frozen=True):
    metadata: _Metadata = _Metadata()


class ClusterState:
    """The objects of a cluster, from the events of its watches or from lists.

    ``policies`` are the stored policies, ``agents`` the status of the agent of each node, ``nodes`` the names of Nodes.
    """

    def __init__(self) -> None:
        self.policies: dict[PolicyName, StoredPolicy] = {}
        self.agents: dict[str, HeardAgent] = {}
        self.nodes: set[str] = set()
        self._live = LiveObjects()
        self._read: dict[PolicyName, NetworkPolicy] = {}
        self._pods: dict[str, dict[str, Pod]] = {}

    def take(self, event: WatchEvent, server_time: float | None) -> None:
        """Take an event; ``server_time`` is the time now by the clock of the API server, if it is known."""
        match event:
            case KindListed():
                self._take_changes(event.changes, server_time)
            case ObjectChange():
                self._take_changes([event], None)

    def concerned(self, name: PolicyName) -> list[str]:
        """The nodes with a pod that the policy selects, sorted."""
        namespace, _ = name
        policy = self._read.get(name)
        if policy is None:
            return []
        workloads = Workloads(Cluster({}, {}, tuple(self._pods.get(namespace, {}).values()), ()))
        groups = workloads.of_namespace(namespace, policy.pod_selector)
        return sorted({pod.node for group in groups for pod in workloads.groups[group] if pod.node})

    def _take_changes(self, changes: Iterable[ObjectChange], server_time: float | None) -> None:
        of_model: list[ObjectChange] = []
        for change in changes:
            if change.kind == KIND:
                self._take_agent(change, server_time)
            elif change.kind != _POLICY or self._take_policy(change):
                of_model.append(change)
            if change.kind == _NODE:
                (self.nodes.discard if change.body is None else self.nodes.add)(change.name)
        self._take_model(of_model)

    def _take_agent(self, change: ObjectChange, server_time: float | None) -> None:
        """Take the status of an agent: with a list after some time, by the clock of the API server; else just now."""
        if change.body is None:
            self.agents.pop(change.name, None)
            return
        known = self.agents.get(change.name)
        try:
            found = read_node_policy_status(change.body)
        except NotUnderstoodError as error:  # one node's object does not hide what the others say
            self.agents[change.name] = HeardAgent(_not_ready(str(error)), time.monotonic())
            return
        if known and known.status == found.status:  # somebody else has written, such as a label
            return
        age = 0.0 if server_time is None else max(server_time - _seconds(found.metadata.written), 0.0)
        self.agents[change.name] = HeardAgent(found.status, time.monotonic() - age)

    def _take_policy(self, change: ObjectChange) -> bool:
        """Take a policy; returns False if a later state of it is known, as the first list of a watch may be old."""
        name = (change.namespace, change.name)
        known = self.policies.get(name)
        if known and change.resource_version != known.version and reaches(known.version, change.resource_version):
            return False
        if change.body is None:
            self.policies.pop(name, None)
        else:
            generation = msgspec.json.decode(change.body, type=_Generation).metadata.generation
            self.policies[name] = StoredPolicy(change.resource_version, generation)
        return True

    def _take_model(self, changes: Iterable[ObjectChange]) -> None:
        model = self._live.update(changes)
        for policy in model.went.policies:
            self._read.pop((policy.namespace, policy.name), None)
        for policy in model.came.policies:
            self._read[policy.namespace, policy.name] = policy
        for pod in model.went.pods:
            self._pods[pod.namespace].pop(pod.name, None)
        for pod in model.came.pods:
            self._pods.setdefault(pod.namespace, {})[pod.name] = pod


def _not_ready(message: str) -> NodeStatus:
    """The status of an agent of which only this is known."""
    return NodeStatus(conditions=(NodeCondition(READY, "False", "NotUnderstood", message, ""),))


def _seconds(moment: str) -> float:
    """A time of the API server (RFC 3339) in seconds since 1970; 0 if there is none, or one of the year 0."""
    try:
        return datetime.fromisoformat(moment).timestamp()
    except ValueError:
        return 0.0
