"""What a check finds, and what it says of itself."""

from enum import StrEnum

import msgspec

from ovsnp.errors import Place, Span
from ovsnp.manifests.paths import Path
from ovsnp.model.cluster import Pod
from ovsnp.model.policy import NetworkPolicy


class Severity(StrEnum):
    """How sure it is that something is meant otherwise.

    A WARNING does not do what it seems to. A NOTICE may be right: for pods to come, or because of another owner.
    """

    WARNING = "warning"
    NOTICE = "notice"


class Finding(msgspec.Struct, frozen=True):
    """One thing found in one object: ``message`` says what is so, ``remedy`` what to do.

    ``subject`` is ``KIND NAMESPACE/NAME``, ``path`` the very entry in the object.
    """

    subject: str
    place: Place
    path: Path
    severity: Severity
    message: str
    remedy: str


class Located(msgspec.Struct, frozen=True, order=True):
    """A finding with the identifier of its check, in its line; sorts by place."""

    span: Span
    check: str
    subject: str
    path: str
    severity: Severity
    message: str
    remedy: str


def of_policy(policy: NetworkPolicy, path: Path, severity: Severity, message: str, remedy: str) -> Finding:
    """A finding in a policy."""
    return Finding(f"NetworkPolicy {policy.key}", policy.place, path, severity, message, remedy)


def of_pod(pod: Pod, path: Path, severity: Severity, message: str, remedy: str) -> Finding:
    """A finding in a pod."""
    return Finding(f"Pod {pod.key}", pod.place, path, severity, message, remedy)
