"""Policies that select no pod, and pods that no policy selects."""

from collections.abc import Iterator

from ovsnp.analysis.lint.absent import absent, no_pods, such_pods
from ovsnp.analysis.lint.covers import satisfiable
from ovsnp.analysis.lint.finding import Finding, Severity, of_pod, of_policy
from ovsnp.analysis.lint.lint_index import LintIndex
from ovsnp.analysis.lint.outside import CONTROLLER, correct_labels
from ovsnp.analysis.lint.wording import some_pods
from ovsnp.model.policy import Direction, NetworkPolicy, PodPeer

_PATH = ("spec", "podSelector")
_WITHOUT_HOST_NETWORK = "run them without hostNetwork, or protect their nodes by other means"


def policies_that_select_nothing(index: LintIndex) -> Iterator[Finding]:
    """Policies whose ``podSelector`` selects no pod of their namespace."""
    for policy in index.cluster.policies:
        if not index.selected(policy):
            yield _selects_nothing(index, policy)


def _selects_nothing(index: LintIndex, policy: NetworkPolicy) -> Finding:
    selector = policy.pod_selector
    subjects = PodPeer(selector, None)
    if not satisfiable(selector):
        message = f"no pod can ever be selected by {selector}, so the policy protects nothing"
        remedy = "correct the requirements: they exclude each other"
        return of_policy(policy, _PATH, message, remedy, Severity.ERROR)
    if pods := absent(index, policy.namespace, subjects):
        message = f"{such_pods(f'of {policy.namespace}', selector)} {pods.unselected}, and the policy protects nothing"
        remedy = _WITHOUT_HOST_NETWORK if pods.hosts else "remove the policy, unless more such pods are to come"
        return of_policy(policy, _PATH, message, remedy, pods.severity)
    labels = index.labels(policy.namespace, subjects)
    if not labels.things:
        message = f"{no_pods(index, policy.namespace, subjects)}, so the policy protects nothing"
        remedy = "correct the namespace, unless its pods are still to come"
        return of_policy(policy, _PATH, message, remedy, Severity.NOTICE)
    message = (
        f"no pod of {policy.namespace} has {selector} ({labels.why_none(selector)}), so the policy protects nothing"
    )
    return of_policy(policy, _PATH, message, correct_labels(index, "policy", CONTROLLER))


def pods_that_no_policy_isolates(index: LintIndex) -> Iterator[Finding]:
    """Pods that everyone may reach and that may reach everyone; pods with the same labels are one finding."""
    for namespace, kinds in sorted(index.kinds.items()):
        for kind in kinds:
            pod = kind.pods[0]
            if any(index.isolating(kind, direction) for direction in Direction):
                continue
            message = f"no policy isolates {some_pods(kind.pods)}, so all traffic from and to these labels is allowed"
            remedy = f"add a policy that selects them, or one with podSelector: {{}} for all of {namespace}"
            yield of_pod(pod, ("metadata", "name"), message, remedy)
