"""Rules with the port of a Service, where the pods behind the Service listen on another port."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

import msgspec

from ovsnp.analysis.lint.entries import RuleEntry, rules
from ovsnp.analysis.lint.finding import Finding, of_policy
from ovsnp.analysis.lint.holders import RuleHolders, admits_someone
from ovsnp.analysis.lint.lint_index import LintIndex
from ovsnp.analysis.lint.port_holders import PortHolders
from ovsnp.analysis.lint.wording import listed
from ovsnp.model.cluster import Pod
from ovsnp.model.policy import Direction, PodPeer
from ovsnp.model.ports import ContainerPort, PortEntry, Protocol
from ovsnp.yaml_reader.paths import Path

_Number = tuple[Protocol, int]


class _Target(msgspec.Struct, frozen=True):
    """The port of a pod to which a Service's port leads: its number, and the names that the pod has for it."""

    number: int
    names: frozenset[str]


class _Ports(msgspec.Struct):
    """The known ports of some pods: those on which they listen, and Services' ports that lead to others of theirs."""

    listening: set[_Number]
    targets: dict[_Number, dict[_Target, set[str]]]

    def add(self, other: "_Ports") -> None:
        self.listening |= other.listening
        for number, targets in other.targets.items():
            for target, services in targets.items():
                self.services_of(number, target).update(services)

    def services_of(self, number: _Number, target: _Target) -> set[str]:
        """The Services whose port ``number`` leads to this port of a pod."""
        return self.targets.setdefault(number, {}).setdefault(target, set())


_NOTHING = _Ports(set(), {})


def ports_of_services(index: LintIndex) -> Iterator[Finding]:
    """Entries with the port of a Service, where the pods behind it listen on another port, which no rule admits.

    A port on which a pod is known to listen may be right; so may any port of a rule that names blocks or everyone.
    """
    translated = _Translated(index)
    for policies in index.policies.values():
        entries = [rule for policy in policies for rule in rules(policy) if admits_someone(rule)]
        holders: RuleHolders | None = None
        for rule in entries:
            for path, entry, targets in _mistaken(translated, rule):
                holders = holders or RuleHolders(index.cluster, entries)
                if lacking := _lacking(holders, rule, entry, targets):
                    services = set().union(*(targets[each] for each in lacking))
                    yield _finding(rule, path, entry, services, {each.number for each in lacking})


class _Translated:
    """The known ports of pods, collected once for each group: the pods that a policy selects, or that a peer names."""

    def __init__(self, index: LintIndex) -> None:
        self._index = index
        self._groups: dict[int, tuple[Sequence[Pod], _Ports]] = {}
        self._together: dict[tuple[int, ...], _Ports] = {}
        self._of_pods: dict[str, _Ports] = {}
        holders = {address: pod for pod in index.cluster.pods for address in pod.addresses}
        for service in index.cluster.services:
            for port, backend in index.backends(service):
                if pod := holders.get(backend.address):
                    ports = self._of_pods.setdefault(pod.key, _Ports(set(), {}))
                    ports.listening.add((port.protocol, backend.port))
                    if backend.port != port.number:
                        names = _names(pod.ports, port.protocol, backend.port)
                        ports.services_of((port.protocol, port.number), _Target(backend.port, names)).add(service.key)

    def of(self, groups: Sequence[tuple[Pod, ...]]) -> _Ports:
        """The known ports of the pods in some groups."""
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
        """The pods whose ports count, in groups; none if the rule may mean others than pods."""
        if rule.direction is Direction.INGRESS:
            return [self._index.subjects(rule.policy)]
        peers = [peer for peer in rule.rule.peers if isinstance(peer, PodPeer)]
        if len(peers) < len(rule.rule.peers):
            return []
        return [self._index.named(rule.policy, peer) for peer in peers]


def _names(ports: Sequence[ContainerPort], protocol: Protocol, number: int) -> frozenset[str]:
    return frozenset(port.name for port in ports if (port.protocol, port.number) == (protocol, number))


def _mistaken(translated: _Translated, rule: RuleEntry) -> Iterator[tuple[Path, PortEntry, Mapping[_Target, set[str]]]]:
    """The entries of a rule with a Service's port, each with the pods' ports that the rule does not have."""
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
        targets = {
            target: services
            for target, services in ports.targets.get(number, {}).items()
            if all(holders.of(each) is None for each in _entries(entry.protocol, target))
        }
        if targets:
            yield (*path, "port"), entry, targets


def _entries(protocol: Protocol, target: _Target) -> list[PortEntry]:
    """The entries that would admit the pod's port."""
    return [PortEntry(protocol, target.number), *(PortEntry(protocol, name) for name in sorted(target.names))]


def _lacking(holders: RuleHolders, rule: RuleEntry, entry: PortEntry, targets: Iterable[_Target]) -> Sequence[_Target]:
    """The ports of pods that no rule admits for all pods and peers of this rule."""
    wanted = {target: _entries(entry.protocol, target) for target in targets}
    admitted = holders.admitted(rule, chain(*wanted.values()))
    return [target for target, entries in wanted.items() if admitted.isdisjoint(entries)]


def _finding(rule: RuleEntry, path: Path, entry: PortEntry, services: set[str], ports: set[int]) -> Finding:
    numbers = [str(number) for number in sorted(ports)]
    what = f"the port of Service {listed(sorted(services))}"
    message = (
        f"{entry.port}/{entry.protocol} is {what}, and the pods behind it listen on {listed(numbers)}, so the entry"
        " does not admit connections to the Service"
    )
    remedy = f"write port: {listed(numbers, 'and port:')}, as policies are judged behind the Service"
    return of_policy(rule.policy, path, message, remedy)
