"""Isolation: which pods a policy isolates, and in which directions."""

from ovsnp.model.cluster import Pod
from ovsnp.model.policy import Direction, NetworkPolicy
from ovsnp.oracle.selectors import selects


def isolates(policy: NetworkPolicy, pod: Pod, direction: Direction) -> bool:
    """True if a policy isolates a pod in this direction."""
    # "An empty selector matches all pods in the policy's namespace."
    return policy.namespace == pod.namespace and selects(policy.pod_selector, pod.labels) and affects(policy, direction)


def affects(policy: NetworkPolicy, direction: Direction) -> bool:
    """True if a policy applies to this direction.

    "If this field is not specified, it will default based on the existence of ingress or egress rules; policies that
    contain an egress section are assumed to affect egress, and all policies (whether or not they contain an ingress
    section) are assumed to affect ingress." An ``egress: []`` has no rules, so it is no section here.
    """
    if policy.policy_types:
        return direction in policy.policy_types
    return direction is Direction.INGRESS or bool(policy.egress)
