"""A policy in a few words, for people who look at the demo."""

from collections.abc import Iterator

from ovsnp.model.policy import Direction, IPBlock, NetworkPolicy, Peer, Rule
from ovsnp.model.ports import PortEntry
from ovsnp.model.selector import Selector


def sentences(policy: NetworkPolicy) -> Iterator[str]:
    """``default/access-demo1 on pods role=db``, then a line for every rule."""
    yield f"{policy.key} on pods {_labels(policy.pod_selector)}"
    for direction in Direction:
        if policy.policy_types and direction not in policy.policy_types:
            continue
        rules = policy.rules(direction)
        if not rules and direction in policy.policy_types:
            yield f"  {direction.section}: none"
        for rule in rules:
            yield f"  {direction.section} {'from' if direction is Direction.INGRESS else 'to'} {_rule(rule)}"


def _rule(rule: Rule) -> str:
    peers = " or ".join(map(_peer, rule.peers)) or "anyone"
    ports = ", ".join(map(_port, rule.ports)) or "any port"
    return f"{peers} on {ports}"


def _peer(peer: Peer) -> str:
    if isinstance(peer, IPBlock):
        excepts = f" except {', '.join(map(str, peer.excepts))}" if peer.excepts else ""
        return f"{peer.cidr}{excepts}"
    pods = f"pods {_labels(peer.pod_selector)}" if peer.pod_selector is not None else "pods"
    if peer.namespace_selector is None:
        return pods
    return f"{pods} in namespaces {peer.namespace_selector}" if str(peer.namespace_selector) else f"{pods} anywhere"


def _labels(selector: Selector) -> str:
    return str(selector) or "of any label"


def _port(entry: PortEntry) -> str:
    protocol = entry.protocol.lower()
    if entry.port is None:
        return f"any {protocol} port"
    return f"{entry.port}-{entry.end_port}/{protocol}" if entry.end_port else f"{entry.port}/{protocol}"
