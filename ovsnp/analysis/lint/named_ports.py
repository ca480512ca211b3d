"""Named ports that no pod has."""

from collections.abc import Iterator, Sequence

from ovsnp.analysis.lint.entries import RuleEntry, rules
from ovsnp.analysis.lint.finding import Finding, Severity, of_policy
from ovsnp.analysis.lint.lint_index import NAMES_SHOWN, LintIndex, PortNames
from ovsnp.analysis.lint.wording import listed
from ovsnp.model.cluster import Pod
from ovsnp.model.policy import Direction, IPBlock
from ovsnp.model.ports import PortEntry, Protocol
from ovsnp.yaml_reader.paths import Path


def ports_that_no_pod_has(index: LintIndex) -> Iterator[Finding]:
    """Names of ports that no destination of a rule has: for ingress the policy's own pods, for egress the peers."""
    for policy in index.cluster.policies:
        for rule in rules(policy):
            names = [(path, port) for path, port in rule.ports() if isinstance(port.port, str)]
            if not names:
                continue
            pods = _destinations(index, rule)
            there = [index.port_names(group) for group in pods]
            for path, port in names:
                known = any((port.port, port.protocol) in each.all for each in there)
                if not known and (any(pods) or _only_blocks(rule)):
                    yield _finding(rule, (*path, "port"), port, there if any(pods) else None)


def _only_blocks(rule: RuleEntry) -> bool:
    """True for an egress rule with blocks only.

    If no pod is a destination, other checks report the peers that name nobody, and the policy that selects no pod.
    """
    return rule.direction is Direction.EGRESS and all(isinstance(peer, IPBlock) for peer in rule.rule.peers)


def _finding(rule: RuleEntry, path: Path, entry: PortEntry, there: Sequence[PortNames] | None) -> Finding:
    """The finding about a named port; ``there`` are the names that the pods have (None: there are no pods)."""
    whose = "the policy selects" if rule.direction is Direction.INGRESS else "the rule's peers name"
    if there is None:
        message = f"{entry.port} is a name, and only pods have named ports: {whose} none, so the entry matches nothing"
        return of_policy(rule.policy, path, message, "write the port's number", Severity.ERROR)
    message = f"no pod that {whose} has a port {entry.port}/{entry.protocol} ({_others(there, entry)})"
    message += ", so the entry matches nothing"
    return of_policy(rule.policy, path, message, "correct the name or its protocol")


def _destinations(index: LintIndex, rule: RuleEntry) -> list[tuple[Pod, ...]]:
    """The pods whose ports count, in groups."""
    if rule.direction is Direction.INGRESS:
        return [index.subjects(rule.policy)]
    if not rule.rule.peers:
        return [index.cluster.pods]
    return [index.named(rule.policy, peer) for peer in rule.rule.peers]


def _others(there: Sequence[PortNames], entry: PortEntry) -> str:
    """The ports that the pods have instead: the same name with another protocol, or other names."""
    if same := [each for each in sorted(Protocol) if any((entry.port, each) in names.all for names in there)]:
        return f"{entry.port} is {listed(same, 'or')}"
    first = sorted({name for names in there for name in names.first})[:NAMES_SHOWN]
    return f"they have {listed(first)}" if first else "they have no named ports"
