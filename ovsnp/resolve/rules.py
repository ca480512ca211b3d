"""The rules of the policies that select the pods of one node."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping

from ovsnp.ir.ruleset import PEERS, PeerTable, PortRange, ResolvedRule, RuleRef
from ovsnp.model.bridge import LocalPod
from ovsnp.model.cluster import Pod
from ovsnp.model.policy import Direction, IPBlock, NetworkPolicy, Peer, Rule
from ovsnp.model.ports import ContainerPort
from ovsnp.resolve import ports
from ovsnp.resolve.named_peers import NamedPeers
from ovsnp.resolve.peers import PeerSets, set_name
from ovsnp.resolve.selection import matches

_Name = tuple[str, str]
"""A policy's namespace and name."""


def isolates(policy: NetworkPolicy, direction: Direction) -> bool:
    """True if the policy applies to this direction, by ``policyTypes`` or, without these, by its sections."""
    if policy.policy_types:
        return direction in policy.policy_types
    return direction is Direction.INGRESS or bool(policy.egress)


class _Concern:
    """A policy that selects local pods: the ports of these pods by key, the resolved rules, and the peers in use."""

    __slots__ = ("directions", "named", "peers", "policy", "rules", "subjects")

    def __init__(self, policy: NetworkPolicy) -> None:
        self.policy = policy
        self.subjects: dict[str, tuple[ContainerPort, ...]] = {}
        self.directions: tuple[Direction, ...] = ()
        self.rules: dict[Direction, dict[str, ResolvedRule]] = {direction: {} for direction in Direction}
        self.peers: list[tuple[PeerTable, str]] = []
        self.named: list[NamedPeers] = []


class NodeRules:
    """The rules of the policies that select local pods.

    A rule that can never match, because no subject or peer has its named ports, is left out. A pod that a policy of a
    direction selects is isolated in this direction, with or without rules.
    """

    def __init__(self, peers: PeerSets, *, service_blocks: bool) -> None:
        self._peers = peers
        self._service_blocks = service_blocks
        self._policies: dict[str, dict[str, NetworkPolicy]] = defaultdict(dict)
        self._pods: dict[str, dict[str, Pod]] = defaultdict(dict)
        self._concerns: dict[_Name, _Concern] = {}
        self._isolated: dict[Direction, Counter[str]] = {direction: Counter() for direction in Direction}
        self._touched: set[_Name] = set()

    @property
    def policies(self) -> tuple[NetworkPolicy, ...]:
        """All policies, also those that select no local pod."""
        return tuple(policy for policies in self._policies.values() for policy in policies.values())

    def update_pods(self, pods: Mapping[str, LocalPod | None]) -> None:
        """Add or replace local pods (None: remove them), and mark the policies that select them."""
        for key, local in pods.items():
            namespace = key.partition("/")[0]
            before = self._pods[namespace].pop(key, None)
            if local:
                self._pods[namespace][key] = local.pod
            if before is None or local is None or (before.labels, before.ports) != (local.pod.labels, local.pod.ports):
                self._select_anew(namespace, key, local.pod if local else None)
            if not self._pods[namespace]:
                del self._pods[namespace]

    def _select_anew(self, namespace: str, key: str, pod: Pod | None) -> None:
        for name, policy in self._policies.get(namespace, {}).items():
            concern = self._concerns.get((namespace, name))
            if (concern and key in concern.subjects) or (pod and matches(policy.pod_selector, pod.labels)):
                self._touched.add((namespace, name))

    def update_policies(self, went: Collection[NetworkPolicy], came: Collection[NetworkPolicy]) -> None:
        """Remove policies, then add policies."""
        for policy in went:
            self._policies[policy.namespace].pop(policy.name, None)
        for policy in came:
            self._policies[policy.namespace][policy.name] = policy
        self._touched.update(
            (policy.namespace, policy.name) for policy in (*went, *came) if policy.namespace in self._pods
        )

    def take_changes(
        self,
    ) -> tuple[dict[Direction, dict[str, bool]], dict[Direction, dict[str, ResolvedRule | None]]]:
        """The changes since the last call: pods that are isolated or no longer isolated, and rules (None: removed)."""
        rules: dict[Direction, dict[str, ResolvedRule | None]] = {direction: {} for direction in Direction}
        isolated: dict[Direction, set[str]] = {direction: set() for direction in Direction}
        while touched := self._touched | self._peers.users_of_changed():
            self._touched = set()
            for name in sorted(touched):
                self._resolve_anew(name, rules, isolated)
        return {
            direction: {key: key in self._isolated[direction] for key in keys} for direction, keys in isolated.items()
        }, rules

    def _resolve_anew(
        self,
        name: _Name,
        rules: dict[Direction, dict[str, ResolvedRule | None]],
        isolated: dict[Direction, set[str]],
    ) -> None:
        before, after = self._concerns.pop(name, None), self._concern(name)
        if after:
            self._concerns[name] = after
        for direction in Direction:
            old = before.rules[direction] if before else {}
            new = after.rules[direction] if after else {}
            rules[direction].update(dict.fromkeys(old.keys() - new.keys()))
            rules[direction].update((key, rule) for key, rule in new.items() if old.get(key) != rule)
        for concern, count in ((before, -1), (after, 1)):
            if concern:
                self._isolate(concern, count, isolated)
        if before:
            self._leave(name, before)

    def _isolate(self, concern: _Concern, count: int, isolated: dict[Direction, set[str]]) -> None:
        """Add ``count`` (1 or -1) to the number of policies that isolate each subject of this policy."""
        for direction in concern.directions:
            isolated[direction].update(concern.subjects)
            for key in concern.subjects:
                _count(self._isolated[direction], key, count)

    def _leave(self, name: _Name, concern: _Concern) -> None:
        for table, peers in concern.peers:
            self._peers.leave(table, peers)
        for named in concern.named:
            self._peers.leave_named(name, named)

    def _concern(self, name: _Name) -> _Concern | None:
        """A policy with its local pods and rules; None if the policy is gone or selects no local pod."""
        namespace, policy_name = name
        policy = self._policies.get(namespace, {}).get(policy_name)
        if policy is None:
            return None
        concern = _Concern(policy)
        for key, pod in sorted(self._pods.get(namespace, {}).items()):
            if matches(policy.pod_selector, pod.labels):
                concern.subjects[key] = pod.ports
        if not concern.subjects:
            return None
        concern.directions = tuple(direction for direction in Direction if isolates(policy, direction))
        for direction in concern.directions:
            for index, rule in enumerate(policy.rules(direction)):
                ref = RuleRef(policy.namespace, policy.name, direction, index)
                concern.rules[direction].update((each.key, each) for each in self._variants(ref, rule, concern))
        return concern

    def _variants(self, ref: RuleRef, rule: Rule, concern: _Concern) -> Iterator[ResolvedRule]:
        if ref.direction is Direction.INGRESS:
            yield from self._of_ingress(ref, rule, concern)
        else:
            yield from self._of_egress(ref, rule, concern)
            if self._service_blocks:
                yield from self._of_service(ref, rule, concern)

    def _of_ingress(self, ref: RuleRef, rule: Rule, concern: _Concern) -> Iterator[ResolvedRule]:
        """A named port is looked up at the subject: subjects with different numbers for it get separate rules."""
        table, names, numbers = PEERS[ref.direction], ports.named(rule.ports), ports.numbered(rule.ports)
        if not names:
            peers = self._use(table, ref, rule.peers, concern)
            yield ResolvedRule(ref, str(ref), tuple(concern.subjects), peers, numbers or None, table)
            return
        agreeing: dict[tuple[PortRange, ...], list[str]] = defaultdict(list)
        for key, held in concern.subjects.items():
            agreeing[ports.named_port_ranges(names, held)].append(key)
        for meaning, alike in agreeing.items():
            if ranges := numbers + meaning:
                peers = self._use(table, ref, rule.peers, concern)
                yield ResolvedRule(ref, ports.variant(str(ref), meaning), tuple(alike), peers, ranges, table)

    def _of_egress(self, ref: RuleRef, rule: Rule, concern: _Concern) -> Iterator[ResolvedRule]:
        """A named port is looked up at the peer: peers with different numbers for it get separate rules."""
        table, names, numbers = PEERS[ref.direction], ports.named(rule.ports), ports.numbered(rule.ports)
        subjects = tuple(concern.subjects)
        if numbers or not names:
            peers = self._use(table, ref, rule.peers, concern)
            yield ResolvedRule(ref, str(ref), subjects, peers, numbers or None, table)
        if names:
            policy = ref.namespace, ref.policy
            what = set_name(ref.namespace, rule.peers) if rule.peers else "any pod"
            named = self._peers.use_named(policy, what, rule.peers, names)
            concern.named.append(named)
            for meaning, peers in named.meanings().items():
                yield ResolvedRule(ref, ports.variant(str(ref), meaning), subjects, peers, meaning, table)

    def _of_service(self, ref: RuleRef, rule: Rule, concern: _Concern) -> Iterator[ResolvedRule]:
        """The rule for cluster IPs, which only blocks can name; the ports of a cluster IP have no names."""
        table = PeerTable.EGRESS_SERVICE
        blocks = tuple(peer for peer in rule.peers if isinstance(peer, IPBlock))
        numbers = ports.numbered(rule.ports)
        if blocks and (numbers or not rule.ports):
            held = self._use(table, ref, blocks, concern)
            yield ResolvedRule(ref, f"{ref} by cluster IP", tuple(concern.subjects), held, numbers or None, table)

    def _use(self, table: PeerTable, ref: RuleRef, peers: tuple[Peer, ...], concern: _Concern) -> str | None:
        if not peers:
            return None
        name = self._peers.use(table, ref.namespace, peers)
        concern.peers.append((table, name))
        return name


def _count(counter: Counter[str], key: str, by: int) -> None:
    counter[key] += by
    if not counter[key]:
        del counter[key]
