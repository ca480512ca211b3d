"""Compares rules with all others, pair by pair."""

from collections.abc import Sequence

from ovsnp.analysis.lint.covers import peer_within, port_within, possible, selector_within
from ovsnp.analysis.lint.entries import RuleEntry
from ovsnp.model.cluster import Cluster


def rule_within(cluster: Cluster, narrow: RuleEntry, wide: RuleEntry) -> bool:
    """The definition: a peer or port of the wide rule holds each peer that can name someone, and each port."""
    space = narrow.policy.namespace
    peers = [peer for peer in narrow.rule.peers if possible(peer)]
    inside = [any(peer_within(cluster, space, one, other) for other in wide.rule.peers) for one in peers]
    through = [any(port_within(one, other) for other in wide.rule.ports) for one in narrow.rule.ports]
    return (
        narrow.direction is wide.direction
        and selector_within(narrow.policy.pod_selector, wide.policy.pod_selector)
        and (not wide.rule.peers or (bool(inside) and all(inside)))
        and (not wide.rule.ports or (bool(through) and all(through)))
    )


def around(cluster: Cluster, narrow: RuleEntry, rules: Sequence[RuleEntry]) -> list[RuleEntry]:
    """The rules that make a rule pointless, by comparison with all; of rules that admit the same, the first stays."""
    return [
        wide
        for wide in rules
        if wide is not narrow and rule_within(cluster, narrow, wide)
        if wide.order < narrow.order or not rule_within(cluster, wide, narrow)
    ]
