"""Namespaces with rules for one direction only, and rules for a direction that their policy does not list."""

from collections.abc import Iterator, Sequence

from ovsnp.analysis.lint.entries import rules
from ovsnp.analysis.lint.finding import Finding, of_policy
from ovsnp.analysis.lint.lint_index import LintIndex
from ovsnp.model.policy import Direction, NetworkPolicy
from ovsnp.oracle import affects


def namespaces_with_rules_in_one_direction(index: LintIndex) -> Iterator[Finding]:
    """Namespaces whose policies have rules for ingress or for egress, but not for both."""
    for namespace, policies in index.policies.items():
        ruled = {rule.direction for policy in policies for rule in rules(policy)}
        if len(ruled) == 1:
            (direction,) = ruled
            yield _one_sided(namespace, policies, direction)


def _one_sided(namespace: str, policies: Sequence[NetworkPolicy], ruled: Direction) -> Finding:
    other = Direction.EGRESS if ruled is Direction.INGRESS else Direction.INGRESS
    first = next(policy for policy in policies if any(rules(policy)))
    closed = next((policy for policy in policies if affects(policy, other)), None)
    message = f"all rules of namespace {namespace} are for {ruled.section}"
    if closed is not None:
        what = "open connections" if other is Direction.EGRESS else "be reached"
        message += f", but {closed.key} isolates for {other.section} too: the pods it selects may not {what} at all"
        remedy = f"add {other.section} rules, unless nothing is to be allowed"
    else:
        whom = "may send to everyone" if other is Direction.EGRESS else "may be reached by everyone"
        message += f", and no policy isolates for {other.section}: its pods {whom}"
        remedy = f"add {other.section} policies, unless that is meant"
    return of_policy(first, ("spec", ruled.section), message, remedy)


def rules_of_types_not_listed(index: LintIndex) -> Iterator[Finding]:
    """Sections of rules whose direction ``policyTypes`` does not list."""
    for policy in index.cluster.policies:
        for direction in Direction:
            if policy.rules(direction) and not affects(policy, direction):
                message = f"policyTypes does not list {direction}, so these rules are ignored"
                remedy = f"add {direction} to policyTypes, or remove the rules"
                yield of_policy(policy, ("spec", direction.section), message, remedy)
