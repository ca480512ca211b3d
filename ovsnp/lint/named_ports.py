"""Named ports that no pod has."""

from collections.abc import Iterator

from ovsnp.lint.entries import RuleEntry, rules
from ovsnp.lint.finding import Finding, Severity, of_policy
from ovsnp.lint.scene import Scene
from ovsnp.lint.wording import listed
from ovsnp.manifests.paths import Path
from ovsnp.model.cluster import Pod
from ovsnp.model.policy import Direction, IPBlock
from ovsnp.model.ports import PortEntry
from ovsnp.verify import PodEnd, Traffic, port_matches


def ports_that_no_pod_has(scene: Scene) -> Iterator[Finding]:
    """Names of ports that none of those whose ports count has: the policy's own pods, for egress the peers."""
    for policy in scene.cluster.policies:
        for rule in rules(policy):
            for path, port in rule.ports():
                if isinstance(port.port, str) and (found := _finding(scene, rule, (*path, "port"), port)):
                    yield found


def _finding(scene: Scene, rule: RuleEntry, path: Path, entry: PortEntry) -> Finding | None:
    pods = _destinations(scene, rule)
    if any(_has(pod, entry) for pod in pods):
        return None
    whose = "the policy selects" if rule.direction is Direction.INGRESS else "the rule's peers name"
    if not pods:
        if not all(isinstance(peer, IPBlock) for peer in rule.rule.peers) or rule.direction is Direction.INGRESS:
            return None  # That nobody is selected or named is another check's finding.
        message = f"{entry.port} is a name, and only pods have named ports: {whose} none, so the entry matches nothing"
        return of_policy(rule.policy, path, message, "write the port's number", Severity.ERROR)
    message = f"no pod that {whose} has a port {entry.port}/{entry.protocol} ({_others(pods, entry)})"
    message += ", so the entry matches nothing"
    return of_policy(rule.policy, path, message, "correct the name or its protocol")


def _destinations(scene: Scene, rule: RuleEntry) -> tuple[Pod, ...]:
    if rule.direction is Direction.INGRESS:
        return tuple(pod for kind in scene.selected(rule.policy) for pod in kind.pods)
    if not rule.rule.peers:
        return scene.cluster.pods
    return tuple(pod for peer in rule.rule.peers for pod in scene.named(rule.policy, peer))


def _has(pod: Pod, entry: PortEntry) -> bool:
    """Whether one of the pod's named ports is what the entry means."""
    end = PodEnd(pod, pod.addresses[0])
    return any(port_matches((entry,), Traffic(port.protocol, port.number), end) for port in pod.ports)


def _others(pods: tuple[Pod, ...], entry: PortEntry) -> str:
    """What the names are instead: with another protocol, or other names."""
    named = {(port.name, port.protocol) for pod in pods for port in pod.ports}
    if same := sorted(protocol for name, protocol in named if name == entry.port):
        return f"{entry.port} is {listed(same, 'or')}"
    if not named:
        return "they have no named ports"
    return f"they have {listed(sorted(f'{name}/{protocol}' for name, protocol in named)[:6])}"
