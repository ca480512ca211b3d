"""A policy that is not understood as a whole: it isolates its pods and allows nothing."""

from collections.abc import Iterable

import msgspec
from msgspec import structs

from ovsnp.model.policy import Direction, NetworkPolicy
from ovsnp.model.selector import Selector
from ovsnp.yaml_reader.paths import format_path
from ovsnp.yaml_reader.report import Mistake

EFFECT = "until ovsnp knows it, the policy isolates its pods and allows nothing"

_SUBJECTS = ("spec", "podSelector")
_TYPES = ("spec", "policyTypes")


class Misunderstood(msgspec.Struct, frozen=True):
    """Why a policy is not understood, and which state of which object it is (0 and empty if not even that is known)."""

    reason: str
    generation: int = 0
    uid: str = ""


class _Metadata(msgspec.Struct, frozen=True):
    generation: int = 0
    uid: str = ""


class _Identified(msgspec.Struct, frozen=True):
    metadata: _Metadata = _Metadata()


def misunderstood(body: msgspec.Raw, mistakes: Iterable[Mistake]) -> Misunderstood:
    """The reason for which a policy is closed; ``body`` is its object."""
    reason = "; ".join(f"{format_path(each.path)}: {each.message}" for each in mistakes)
    try:
        found = msgspec.json.decode(body, type=_Identified).metadata
    except (msgspec.MsgspecError, RecursionError):
        found = _Metadata()
    return Misunderstood(reason, found.generation, found.uid)


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
