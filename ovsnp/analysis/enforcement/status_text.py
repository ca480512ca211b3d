"""What `ovsnp status` prints for people."""

from collections.abc import Iterator, Sequence

from ovsnp.analysis.enforcement.enforcement import NodeHealth, PolicyEnforcement, in_words
from ovsnp.visible_text import visible


def lines(policies: Sequence[PolicyEnforcement], nodes: Sequence[NodeHealth]) -> Iterator[str]:
    """The policies, each with the nodes that do not enforce it; then the nodes."""
    for policy in policies:
        yield from policy_lines(policy)
    if policies and nodes:
        yield ""
    for node in nodes:
        yield _node(node)


def policy_lines(policy: PolicyEnforcement) -> Iterator[str]:
    """One policy: on how many nodes it is enforced, and why not on the others; nodes with one reason share a line."""
    subject = f"{policy.namespace}/{policy.name}: generation {policy.generation}"
    if not policy.nodes:
        yield f"{subject} selects no pod with an address"
        return
    yield f"{subject} is enforced on {len(policy.enforcing)} of {len(policy.nodes)} nodes"
    by_reason: dict[str, list[str]] = {}
    for node, reason in policy.lacking:
        by_reason.setdefault(reason, []).append(node)
    for reason, names in by_reason.items():
        yield f"  not on {', '.join(names)}: {visible(reason)}"


def summary(policies: Sequence[PolicyEnforcement]) -> str:
    """How many policies are enforced wherever they should be."""
    enforced = sum(not policy.lacking for policy in policies)
    return f"{enforced} of {len(policies)} policies are enforced on all nodes with a pod that they select"


def _node(found: NodeHealth) -> str:
    agent = found.status.agent if found.status else None
    facts = [found.trouble or "ready"]
    if agent:
        facts.append(f"ovsnp {agent.version} on bridge {agent.bridge}")
    if found.status and found.status.not_realised_count:
        facts.append(f"{found.status.not_realised_count} policies are not understood")
    if found.age is not None:
        facts.append(f"state of {in_words(found.age)} ago")
    return visible(f"node {found.node}: {'; '.join(facts)}")
