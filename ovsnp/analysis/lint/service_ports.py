"""Ports of Services in rules, where the pods behind the Service listen on others."""

from collections.abc import Iterator, Sequence

import msgspec

from ovsnp.analysis.lint.entries import RuleEntry, rules
from ovsnp.analysis.lint.finding import Finding, of_policy
from ovsnp.analysis.lint.holders import RuleHolders, admits_someone
from ovsnp.analysis.lint.lint_index import LintIndex
from ovsnp.analysis.lint.port_holders import PortHolders
from ovsnp.analysis.lint.wording import listed
from ovsnp.model.cluster import Pod
from ovsnp.model.policy import Direction, PodPeer, Rule
from ovsnp.model.ports import ContainerPort, PortEntry, Protocol
from ovsnp.yaml_reader.paths import Path

_Number = tuple[Protocol, int]


class _Target(msgspec.Struct, frozen=True):
    """What becomes of a Service's port at a pod behind it: the pod's number, and the names that the pod has for it."""

    service: str
    number: int
    names: frozenset[str]


class _Ports(msgspec.Struct):
    """What is known of some pods' ports: those they listen on, and those of Services that become other ones."""

    listening: set[_Number]
    targets: dict[_Number, set[_Target]]

    def add(self, other: "_Ports") -> None:
        self.listening |= other.listening
        for number, targets in other.targets.items():
            self.targets.setdefault(number, set()).update(targets)


_NOTHING = _Ports(set(), {})


def ports_of_services(scene: LintIndex) -> Iterator[Finding]:
    """Numbers that are a Service's port, not one of the pods behind it, where no rule admits the pods' own port.

    A number that a pod is known to listen on may be meant; so may any number where a rule names blocks or everyone.
    """
    translated = _Translated(scene)
    for policies in scene.policies.values():
        entries = [rule for policy in policies for rule in rules(policy) if admits_someone(rule)]
        holders: RuleHolders | None = None
        for rule in entries:
            for path, entry, targets in _mistaken(translated, rule):
                holders = holders or RuleHolders(scene.cluster, entries)
                if lacking := [each for each in targets if not _admitted(holders, rule, entry, each)]:
                    yield _finding(rule, path, entry, lacking)


class _Translated:
    """The ports of pods, asked for once a group of pods: those of one kind, or named by one peer."""

    def __init__(self, scene: LintIndex) -> None:
        self._scene = scene
        self._groups: dict[int, tuple[Sequence[Pod], _Ports]] = {}
        self._together: dict[tuple[int, ...], _Ports] = {}
        self._of_pods: dict[str, _Ports] = {}
        holders = {address: pod for pod in scene.cluster.pods for address in pod.addresses}
        for service in scene.cluster.services:
            for port, backend in scene.backends(service):
                if pod := holders.get(backend.address):
                    ports = self._of_pods.setdefault(pod.key, _Ports(set(), {}))
                    ports.listening.add((port.protocol, backend.port))
                    if backend.port != port.number:
                        names = _names(pod.ports, port.protocol, backend.port)
                        target = _Target(service.key, backend.port, names)
                        ports.targets.setdefault((port.protocol, port.number), set()).add(target)

    def of(self, groups: Sequence[tuple[Pod, ...]]) -> _Ports:
        """All that is known of the pods in some groups."""
        if len(groups) == 1:
            return self._of(groups[0])
        key = tuple(map(id, groups))
        if key not in self._together:
            self._together[key] = _Ports(set(), {})
            for group in groups:
                self._together[key].add(self._of(group))
        return self._together[key]

    def _of(self, group: tuple[Pod, ...]) -> _Ports:
        if id(group) not in self._groups:
            found = _Ports({(port.protocol, port.number) for pod in group for port in pod.ports}, {})
            for pod in group:
                if known := self._of_pods.get(pod.key):
                    found.add(known)
            self._groups[id(group)] = group, found
        return self._groups[id(group)][1]

    def destinations(self, rule: RuleEntry) -> Sequence[tuple[Pod, ...]]:
        """The pods whose ports count; none where others than pods may be meant."""
        if rule.direction is Direction.INGRESS:
            return [kind.pods for kind in self._scene.selected(rule.policy)]
        peers = [peer for peer in rule.rule.peers if isinstance(peer, PodPeer)]
        if len(peers) < len(rule.rule.peers):
            return []
        return [self._scene.named(rule.policy, peer) for peer in peers]


def _names(ports: Sequence[ContainerPort], protocol: Protocol, number: int) -> frozenset[str]:
    return frozenset(port.name for port in ports if (port.protocol, port.number) == (protocol, number))


def _mistaken(translated: _Translated, rule: RuleEntry) -> Iterator[tuple[Path, PortEntry, Sequence[_Target]]]:
    """The entries of a rule that are a Service's port, each with the ports of the pods that the rule does not name."""
    ports = translated.of(translated.destinations(rule)) if rule.rule.ports else _NOTHING
    if not ports.targets:
        return
    holders = PortHolders(rule.rule.ports)
    for path, entry in rule.ports():
        if not isinstance(entry.port, int) or entry.end_port is not None:
            continue
        number = (entry.protocol, entry.port)
        if number in ports.listening:
            continue
        targets = [
            target
            for target in sorted(ports.targets.get(number, ()), key=_order)
            if all(holders.of(each) is None for each in _entries(entry.protocol, target))
        ]
        if targets:
            yield (*path, "port"), entry, targets


def _order(target: _Target) -> tuple[str, int, list[str]]:
    return target.service, target.number, sorted(target.names)


def _entries(protocol: Protocol, target: _Target) -> list[PortEntry]:
    """The entries that would admit the pod's port."""
    return [PortEntry(protocol, target.number), *(PortEntry(protocol, name) for name in sorted(target.names))]


def _admitted(holders: RuleHolders, rule: RuleEntry, entry: PortEntry, target: _Target) -> bool:
    """Whether other rules admit the pod's port to all those that this rule is about."""
    return any(
        holders.hold(RuleEntry(rule.policy, rule.direction, rule.position, Rule(rule.rule.peers, (each,))))
        for each in _entries(entry.protocol, target)
    )


def _finding(rule: RuleEntry, path: Path, entry: PortEntry, targets: Sequence[_Target]) -> Finding:
    services = listed(sorted({target.service for target in targets}))
    numbers = [str(number) for number in sorted({target.number for target in targets})]
    message = (
        f"{entry.port}/{entry.protocol} is the port of Service {services}, and the pods behind it listen on"
        f" {listed(numbers)}, so the entry does not admit connections to the Service"
    )
    remedy = f"write port: {listed(numbers, 'and port:')}, as policies are judged behind the Service"
    return of_policy(rule.policy, path, message, remedy)
