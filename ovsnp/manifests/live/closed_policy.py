"""A policy that is not understood as a whole: it isolates its pods and allows nothing."""

from collections.abc import Iterable

from msgspec import structs

from ovsnp.model.policy import Direction, NetworkPolicy
from ovsnp.model.selector import Selector
from ovsnp.yaml_reader.report import Mistake

EFFECT = "until ovsnp knows it, the policy isolates its pods and allows nothing"

_SUBJECTS = ("spec", "podSelector")
_TYPES = ("spec", "policyTypes")


def closed_policy(policy: NetworkPolicy, mistakes: Iterable[Mistake]) -> NetworkPolicy:
    """The policy without rules; ``policy`` is what could be read.

    If the pod selector is not understood, the policy isolates all pods of the namespace; if the policy types are not
    understood, both directions.
    """
    broken = [mistake.path for mistake in mistakes]
    selector = Selector() if any(path[: len(_SUBJECTS)] == _SUBJECTS for path in broken) else policy.pod_selector
    types = frozenset() if any(path[: len(_TYPES)] == _TYPES for path in broken) else policy.policy_types
    return structs.replace(
        policy, pod_selector=selector, policy_types=types or frozenset(Direction), ingress=(), egress=()
    )
