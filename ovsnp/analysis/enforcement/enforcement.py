"""Joins policies, pods and the status of the agents: on which nodes is each policy enforced, and why not elsewhere."""

import time
from typing import NamedTuple

from ovsnp.analysis.enforcement.cluster_state import ClusterState, HeardAgent, PolicyName, StoredPolicy
from ovsnp.analysis.enforcement.resource_versions import reaches
from ovsnp.errors import UsageError
from ovsnp.kubernetes.node_policy_status import API_SERVER_CONNECTED, READY, RENEWAL, NodeStatus
from ovsnp.kubernetes.resources import NETWORK_POLICIES

LONG = 3 * RENEWAL
"""The seconds without a write after which an agent is not heard of: it has left out two renewals."""

NO_AGENT = "no agent has published the status of this node; is ovsnp agent running there?"


class Shortfall(NamedTuple):
    """A node that is not known to enforce a policy, and the reason in one sentence."""

    node: str
    reason: str


class PolicyEnforcement(NamedTuple):
    """A policy, the nodes that enforce its current generation, and the other nodes with a pod that it selects."""

    namespace: str
    name: str
    generation: int
    enforcing: tuple[str, ...]
    lacking: tuple[Shortfall, ...]

    @property
    def nodes(self) -> tuple[str, ...]:
        """The nodes that the policy concerns."""
        return tuple(sorted((*self.enforcing, *(each.node for each in self.lacking))))

    def on(self, node: str) -> "PolicyEnforcement":
        """The same about one node alone."""
        lacking = tuple(each for each in self.lacking if each.node == node)
        return self._replace(enforcing=tuple({node} & {*self.enforcing}), lacking=lacking)


class NodeHealth(NamedTuple):
    """A node: its agent's status and the age of its last write in seconds (None: no agent), and what is wrong."""

    node: str
    status: NodeStatus | None
    age: float | None
    trouble: str | None


def enforcement(state: ClusterState, name: PolicyName, stored: StoredPolicy) -> PolicyEnforcement:
    """Where a policy is enforced."""
    enforcing: list[str] = []
    lacking: list[Shortfall] = []
    for node in state.concerned(name):
        reason = _obstacle(name, stored, state.agents.get(node))
        if reason:
            lacking.append(Shortfall(node, reason))
        else:
            enforcing.append(node)
    return PolicyEnforcement(*name, stored.generation, tuple(enforcing), tuple(lacking))


def health(state: ClusterState, node: str) -> NodeHealth:
    """The state of a node's agent."""
    agent = state.agents.get(node)
    if agent is None:
        return NodeHealth(node, None, None, NO_AGENT)
    return NodeHealth(node, agent.status, time.monotonic() - agent.heard, _trouble(agent))


def no_such_policy(namespace: str, name: str) -> UsageError:
    """The error for a policy that the cluster does not have."""
    return UsageError(f"the cluster has no NetworkPolicy {namespace}/{name}; kubectl get networkpolicies -A lists all")


def in_words(seconds: float) -> str:
    """A time span as kubectl writes ages, in its largest unit."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _trouble(agent: HeardAgent) -> str | None:
    """What is wrong with an agent as a whole."""
    age = time.monotonic() - agent.heard
    if age > LONG:
        return f"the agent has not been heard of for {in_words(age)}; is ovsnp agent running there?"
    ready = agent.status.condition(READY)
    if ready is None:
        return "the agent has not told yet whether it is ready"
    if ready.status != "True":
        return ready.message
    connected = agent.status.condition(API_SERVER_CONNECTED)
    if connected and connected.status != "True":
        return f"the agent does not follow all objects of the cluster: {connected.message}"
    return None


def _obstacle(name: PolicyName, stored: StoredPolicy, agent: HeardAgent | None) -> str | None:
    """Why a node is not known to enforce a policy; None if it does."""
    if agent is None:
        return NO_AGENT
    if trouble := _trouble(agent):
        return trouble
    status = agent.status
    confirmed = status.observed.get(NETWORK_POLICIES.kind, "")
    if not confirmed:
        return "the switch has no policies yet"
    reached = reaches(confirmed, stored.version)
    if reached is None:
        versions = f"{confirmed!r} of the agent and {stored.version!r} of the policy"
        return f"the resource versions {versions} cannot be compared, as they are no integers"
    if not reached:
        return f"the switch has the policies up to version {confirmed}, and this one has version {stored.version}"
    key = "/".join(name)
    for each in status.not_realised:
        if each.policy == key:
            return f"the agent does not understand the policy, and allows nothing for its pods: {each.reason}"
    if len(status.not_realised) < status.not_realised_count:
        return (
            f"the agent names {len(status.not_realised)} of the {status.not_realised_count} policies that it does not"
            " understand; this one may be among the others"
        )
    return None
