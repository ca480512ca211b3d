"""A policy in a few words, for people who watch the demo."""

from collections.abc import Iterator

from ovsnp.analysis.wording.rules import label_words, peer_words, port_words
from ovsnp.model.policy import Direction, NetworkPolicy, Rule


def sentences(policy: NetworkPolicy) -> Iterator[str]:
    """``default/access-demo1 on pods role=db``, then a line for every rule."""
    yield f"{policy.key} on pods {label_words(policy.pod_selector)}"
    for direction in Direction:
        if policy.policy_types and direction not in policy.policy_types:
            continue
        rules = policy.rules(direction)
        if not rules and direction in policy.policy_types:
            yield f"  {direction.section}: none"
        for rule in rules:
            yield f"  {direction.section} {'from' if direction is Direction.INGRESS else 'to'} {_rule(rule)}"


def _rule(rule: Rule) -> str:
    peers = " or ".join(map(peer_words, rule.peers)) or "anyone"
    ports = ", ".join(map(port_words, rule.ports)) or "any port"
    return f"{peers} on {ports}"
