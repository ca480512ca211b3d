"""The rules of one direction that concern one node's pods."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator

from ovsnp.model.address import Address
from ovsnp.model.cluster import Cluster, Pod
from ovsnp.model.policy import Direction, IPBlock, NetworkPolicy, Rule
from ovsnp.model.ruleset import PeerSet, PortRange, ResolvedRule, RuleRef, RuleSet
from ovsnp.resolve import ports
from ovsnp.resolve.peers import Peers
from ovsnp.resolve.selection import Selection, matches

_Variants = Callable[[RuleRef, Rule, tuple[Pod, ...], Peers], Iterator[ResolvedRule]]


def resolve(
    cluster: Cluster, subjects: Collection[Pod], not_pods: Collection[Address], *, service_blocks: bool = False
) -> tuple[RuleSet, RuleSet]:
    """The egress and the ingress rules of the given local pods.

    ``not_pods`` are addresses within pod CIDRs that rules judge, but that "every pod" does not mean.
    With ``service_blocks`` egress rules admit by cluster IPs, too, that their ipBlocks hold.

    A rule that could never match (its subjects' or peers' ports have none of its names) is left out; a pod that
    any policy of a direction selects is isolated in it, with or without rules.
    """
    selected = _select(cluster, subjects)
    peers = Peers(cluster, Selection(cluster.pods, cluster.namespaces), not_pods)
    to = (_egress_variants, _service_variants) if service_blocks else (_egress_variants,)
    return (
        _rule_set(Direction.EGRESS, selected, peers, to),
        _rule_set(Direction.INGRESS, selected, peers, (_ingress_variants,)),
    )


def _select(cluster: Cluster, subjects: Collection[Pod]) -> list[tuple[NetworkPolicy, tuple[Pod, ...]]]:
    by_namespace: dict[str, list[Pod]] = defaultdict(list)
    for pod in subjects:
        by_namespace[pod.namespace].append(pod)
    pairs = (
        (policy, tuple(pod for pod in by_namespace[policy.namespace] if matches(policy.pod_selector, pod.labels)))
        for policy in cluster.policies
        if policy.namespace in by_namespace
    )
    return [(policy, pods) for policy, pods in pairs if pods]


def isolates(policy: NetworkPolicy, direction: Direction) -> bool:
    """Whether the policy is of this direction: as ``policyTypes`` says, or else as its sections do."""
    if policy.policy_types:
        return direction in policy.policy_types
    return direction is Direction.INGRESS or bool(policy.egress)


def _rule_set(
    direction: Direction,
    selected: list[tuple[NetworkPolicy, tuple[Pod, ...]]],
    peers: Peers,
    variants: tuple[_Variants, ...],
) -> RuleSet:
    isolated: set[str] = set()
    rules: list[ResolvedRule] = []
    for policy, pods in selected:
        if not isolates(policy, direction):
            continue
        isolated.update(pod.key for pod in pods)
        for index, rule in enumerate(policy.rules(direction)):
            ref = RuleRef(policy.namespace, policy.name, direction, index)
            for resolved in variants:
                rules.extend(resolved(ref, rule, pods, peers))
    pods_by_key = {pod.key: pod for _, pods in selected for pod in pods}
    return RuleSet(
        direction,
        tuple(pods_by_key[key] for key in sorted(isolated)),
        tuple(sorted(rules, key=lambda rule: rule.key)),
    )


def _ingress_variants(ref: RuleRef, rule: Rule, pods: tuple[Pod, ...], peers: Peers) -> Iterator[ResolvedRule]:
    """A named port is looked up at the subject, so subjects that disagree about it get rules of their own."""
    sources = peers.resolve(ref.namespace, rule.peers) if rule.peers else None
    names = ports.named(rule.ports)
    if not names:
        yield ResolvedRule(ref, str(ref), pods, sources, ports.numbered(rule.ports) or None)
        return
    agreeing: dict[tuple[PortRange, ...], list[Pod]] = defaultdict(list)
    for pod in pods:
        agreeing[ports.meaning(names, pod)].append(pod)
    for meaning, alike in agreeing.items():
        if ranges := ports.numbered(rule.ports) + meaning:
            yield ResolvedRule(ref, _variant(str(ref), meaning), tuple(alike), sources, ranges)


def _egress_variants(ref: RuleRef, rule: Rule, pods: tuple[Pod, ...], peers: Peers) -> Iterator[ResolvedRule]:
    """A named port is looked up at the peer, so peers that disagree about it get rules of their own."""
    destinations = peers.resolve(ref.namespace, rule.peers) if rule.peers else None
    names, numbers = ports.named(rule.ports), ports.numbered(rule.ports)
    if numbers or not names:
        yield ResolvedRule(ref, str(ref), pods, destinations, numbers or None)
    if not names:
        return
    agreeing: dict[tuple[PortRange, ...], set[Address]] = defaultdict(set)
    for pod, address in peers.pods(ref.namespace, rule.peers):
        if meaning := ports.meaning(names, pod):
            agreeing[meaning].add(address)
    for meaning, addresses in agreeing.items():
        asked = ",".join(sorted(f"{entry.port}/{entry.protocol}" for entry in names))
        name = _variant(f"{destinations.name if destinations else 'any pod'} by {asked}", meaning)
        yield ResolvedRule(ref, _variant(str(ref), meaning), pods, PeerSet(name, frozenset(addresses)), meaning)


def _service_variants(ref: RuleRef, rule: Rule, pods: tuple[Pod, ...], peers: Peers) -> Iterator[ResolvedRule]:
    """A block may hold the cluster IP, whose ports have no names."""
    blocks = tuple(peer for peer in rule.peers if isinstance(peer, IPBlock))
    numbers = ports.numbered(rule.ports)
    if blocks and (numbers or not rule.ports):
        held = peers.resolve(ref.namespace, blocks)
        yield ResolvedRule(ref, f"{ref} by cluster IP", pods, held, numbers or None, service=True)


def _variant(name: str, meaning: tuple[PortRange, ...]) -> str:
    return f"{name} ({', '.join(map(str, meaning))})" if meaning else name
