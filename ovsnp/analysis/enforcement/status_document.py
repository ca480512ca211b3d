"""What `ovsnp status -o json` prints."""

from collections.abc import Iterable

import msgspec

from ovsnp.analysis.enforcement.enforcement import NodeHealth, PolicyEnforcement
from ovsnp.document import Count


class LackingNode(msgspec.Struct, frozen=True):
    """A node that is not known to enforce the policy, and the reason in one sentence."""

    node: str
    reason: str


class PolicyStatus(msgspec.Struct, frozen=True):
    """A policy.

    ``enforcing`` are the nodes that enforce this generation, ``lacking`` the other nodes with a pod that the policy
    selects. A policy that selects no pod is on no node.
    """

    namespace: str
    name: str
    generation: Count
    enforcing: tuple[str, ...]
    lacking: tuple[LackingNode, ...]


class AgentStatus(msgspec.Struct, frozen=True):
    """A node, and its agent: null where there is no agent.

    ``written`` is the age of the agent's status, in seconds. ``observed`` has the resource version of each kind up
    to which the switch has the flows. ``trouble`` is a sentence, null if the agent is well.
    """

    node: str
    version: str | None
    bridge: str | None
    started: str | None
    written: float | None
    observed: dict[str, str]
    not_realised: Count
    trouble: str | None


class StatusDocument(msgspec.Struct, frozen=True):
    """The answer of ``ovsnp status``."""

    policies: tuple[PolicyStatus, ...]
    nodes: tuple[AgentStatus, ...]


def document(policies: Iterable[PolicyEnforcement], nodes: Iterable[NodeHealth]) -> StatusDocument:
    """The document for an answer."""
    return StatusDocument(tuple(map(_policy, policies)), tuple(map(_agent, nodes)))


def _policy(found: PolicyEnforcement) -> PolicyStatus:
    lacking = tuple(LackingNode(*each) for each in found.lacking)
    return PolicyStatus(found.namespace, found.name, found.generation, found.enforcing, lacking)


def _agent(found: NodeHealth) -> AgentStatus:
    status = found.status
    agent = status.agent if status else None
    return AgentStatus(
        found.node,
        agent.version if agent else None,
        agent.bridge if agent else None,
        agent.started if agent else None,
        None if found.age is None else round(found.age, 1),
        dict(status.observed) if status else {},
        status.not_realised_count if status else 0,
        found.trouble,
    )
