"""The findings of a check, and how severe they are."""

from enum import StrEnum

import msgspec

from ovsnp.errors import Place, Span
from ovsnp.model.cluster import Pod
from ovsnp.model.policy import NetworkPolicy
from ovsnp.yaml_reader.paths import Path


class Severity(StrEnum):
    """How certain a mistake is; the most certain is first.

    ERROR: the entry can never do what it says, whatever pods come. WARNING: the entry does not do it in this cluster.
    NOTICE: the entry may be intended, for pods to come, or because of another owner.
    """

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"

    def at_least(self, other: "Severity") -> bool:
        """True if this severity is at least as certain as the other."""
        order = list(Severity)
        return order.index(self) <= order.index(other)


class Finding(msgspec.Struct, frozen=True):
    """A finding in one object: ``message`` says what is wrong, ``remedy`` what to do.

    ``subject`` is ``KIND NAMESPACE/NAME``, ``path`` the entry in the object. ``severity`` None: the severity of
    the check.
    """

    subject: str
    place: Place
    path: Path
    message: str
    remedy: str
    severity: Severity | None = None


class Located(msgspec.Struct, frozen=True, order=True):
    """A finding with its line and the identifier of its check; sorts by place."""

    span: Span
    check: str
    subject: str
    path: str
    severity: Severity
    message: str
    remedy: str


def of_policy(
    policy: NetworkPolicy, path: Path, message: str, remedy: str, severity: Severity | None = None
) -> Finding:
    """A finding in a policy, of the severity of its check unless another is given."""
    return Finding(f"NetworkPolicy {policy.key}", policy.place, path, message, remedy, severity)


def of_pod(pod: Pod, path: Path, message: str, remedy: str) -> Finding:
    """A finding in a pod, of the severity of its check."""
    kind = pod.workload.kind if pod.template and pod.workload else "Pod"
    return Finding(f"{kind} {pod.key}", pod.place, path, message, remedy)
